import { backend } from './backend.ts'
import { readProcText, statusField } from './proc-file.ts'

/** The most new pids that are checked one by one. If there are more, the next pass lists them. */
const MOST_CHECKED = 512

/**
 * The pid that the kernel assigned last in our pid namespace, to a process or a thread: the last word of /proc/loadavg
 * (proc(5)). Pids are assigned in ascending order until they wrap around, so everything that was started since lies between
 * an earlier answer and the next one. 0 when the file cannot be read, and without /proc.
 */
export function newestPid(): number {
  if (backend !== 'proc') return 0
  return Number(readProcText('/proc/loadavg', true)?.trim().split(' ').at(-1)) || 0
}

/** The pids after `since` up to `last`. Empty after a wrap-around, and when they are too many. */
export function pidsSince(since: number, last: number): number[] {
  const count = last - since
  return count > 0 && count <= MOST_CHECKED ? Array.from({ length: count }, (_, n) => since + 1 + n) : []
}

/** False for a thread: /proc/<tid> exists for threads as well, although /proc does not list them. */
export const isLeader = (pid: number): boolean => statusField(pid, 'Tgid') === String(pid)
