import { spawnSync } from 'node:child_process'
import { backend } from './backend.ts'
import { readProc } from './proc-file.ts'

/**
 * The resident memory of some processes together, in bytes. Shared pages count for each process, so this is an upper
 * bound. A process that has ended counts nothing.
 */
export function residentBytes(pids: readonly number[]): number {
  const sizes = backend === 'ps' ? kilobytesByPs(pids) : pids.map(pid => kilobytesByProc(pid) ?? 0)
  return sizes.reduce((sum, kilobytes) => sum + kilobytes, 0) * 1024
}

/** The resident memory of one process, in bytes; undefined where /proc does not show it. */
export function residentBytesOf(pid: number): number | undefined {
  const kilobytes = kilobytesByProc(pid)
  return kilobytes === undefined ? undefined : kilobytes * 1024
}

/** Read from `status`, because `stat` counts pages, whose size Node does not expose. */
function kilobytesByProc(pid: number): number | undefined {
  const bytes = readProc(`/proc/${pid}/status`, true)
  const found = typeof bytes === 'string' ? null : /^VmRSS:\s*(\d+) kB$/m.exec(bytes.toString('latin1'))
  return found ? Number(found[1]) : undefined
}

function kilobytesByPs(pids: readonly number[]): number[] {
  if (pids.length === 0) return []
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', pids.join(',')], {
    encoding: 'latin1',
    timeout: 5_000,
  })
  return (stdout ?? '').split('\n').map(Number)
}
