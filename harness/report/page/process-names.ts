import type { Life } from '../../timeline/timeline.ts'

/** The parts of what a process is called: "claude (41), 1.8 MB: claude -p ...". */
export interface ProcessName {
  name: string
  pid: number
  memory: string
  command: string
}

export function nameOf({ what, process }: Life): ProcessName {
  const pid = process?.pid ?? 0
  const mark = ` (${pid}), `
  const at = what.indexOf(mark)
  const rest = what.slice(at + mark.length)
  const colon = rest.indexOf(': ')
  if (at < 0 || colon < 0) return { name: what, pid, memory: '', command: '' }
  return { name: what.slice(0, at), pid, memory: rest.slice(0, colon), command: rest.slice(colon + 2) }
}
