import { backend } from './backend.ts'
import { readProc } from './proc-file.ts'

/** More new numbers than this between two looks are not looked at one by one; the next pass lists them. */
const MOST = 512

/**
 * The number that the kernel gave last, to a process or a thread, in our pid namespace: the last word of
 * /proc/loadavg (proc(5)). Numbers are given in a circle, so what was started since is between then and now.
 * 0 where the file cannot be read, or where processes are not read from /proc.
 */
export function newestPid(): number {
  if (backend !== 'proc') return 0
  const bytes = readProc('/proc/loadavg', true)
  return typeof bytes === 'string' ? 0 : Number(bytes.toString('latin1').trim().split(' ').at(-1)) || 0
}

/** The numbers that were given after `since`, up to `last`. None where the circle began anew, or where they are very many. */
export function pidsSince(since: number, last: number): number[] {
  const count = last - since
  return count > 0 && count <= MOST ? Array.from({ length: count }, (_, n) => since + 1 + n) : []
}

/** False for a thread: /proc answers to its number too, though it does not list it. */
export function isLeader(pid: number): boolean {
  const bytes = readProc(`/proc/${pid}/status`, true)
  return typeof bytes !== 'string' && /^Tgid:\s*(\d+)/m.exec(bytes.toString('latin1'))?.[1] === String(pid)
}
