/**
 * A process, and no other that ever had or will have its number: the pid and the start time in clock ticks since
 * boot (/proc/<pid>/stat, field 22).
 */
export interface Identity {
  pid: number
  start: number
}

export function sameProcess(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.pid === b.pid && a.start === b.start
}
