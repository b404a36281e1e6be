import { readProc } from '../processes/proc-file.ts'

/**
 * A process's resident memory in bytes, shared pages included; undefined when it is gone or there is no /proc. From
 * `status` and not from `stat`, which counts in pages of a size that Node does not tell.
 */
export function rssOf(pid: number): number | undefined {
  const bytes = readProc(`/proc/${pid}/status`)
  const found = typeof bytes === 'string' ? null : /^VmRSS:\s*(\d+) kB$/m.exec(bytes.toString('latin1'))
  return found ? Number(found[1]) * 1024 : undefined
}

/** The sum over several processes. Pages that they share count for each: it is an upper bound. */
export const rssOfAll = (pids: Iterable<number>): number =>
  [...pids].reduce((sum, pid) => sum + (rssOf(pid) ?? 0), 0)
