import { spawnSync } from 'node:child_process'
import { backend } from './backend.ts'
import { readProc } from './proc-file.ts'

/**
 * The resident memory of some processes together, in bytes. Pages that they share count for each: it is an upper
 * bound. One that has ended counts nothing.
 */
export function rssOf(pids: readonly number[]): number {
  const sizes = backend === 'ps' ? byPs(pids) : pids.map(byProc)
  return sizes.reduce((sum, kilobytes) => sum + kilobytes, 0) * 1024
}

/** From `status` and not from `stat`, which counts in pages of a size that Node does not tell. */
function byProc(pid: number): number {
  const bytes = readProc(`/proc/${pid}/status`)
  const found = typeof bytes === 'string' ? null : /^VmRSS:\s*(\d+) kB$/m.exec(bytes.toString('latin1'))
  return Number(found?.[1] ?? 0)
}

function byPs(pids: readonly number[]): number[] {
  if (pids.length === 0) return []
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', pids.join(',')], {
    encoding: 'latin1',
    timeout: 5_000,
  })
  return (stdout ?? '').split('\n').map(Number)
}
