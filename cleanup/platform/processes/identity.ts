/** Identifies one process for ever: its pid and its start time in clock ticks since boot (/proc/<pid>/stat, field 22). */
export interface Identity {
  pid: number
  start: number
}

export function sameProcess(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.pid === b.pid && a.start === b.start
}
