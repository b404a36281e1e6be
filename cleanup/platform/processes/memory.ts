import { spawnSync } from 'node:child_process'
import { backend } from './backend.ts'
import { statusField } from './proc-file.ts'

/** The sum of the resident memory of some processes, in bytes: an upper bound, because shared pages count for each of them. */
export function residentBytes(pids: readonly number[]): number {
  const sizes = backend === 'ps' ? kilobytesByPs(pids) : pids.map(pid => kilobytesByProc(pid) ?? 0)
  return sizes.reduce((sum, kilobytes) => sum + kilobytes, 0) * 1024
}

/** The resident memory of one process, in bytes; undefined where /proc does not show it. */
export function residentBytesOf(pid: number): number | undefined {
  const kilobytes = kilobytesByProc(pid)
  return kilobytes === undefined ? undefined : kilobytes * 1024
}

/** Reads `status`, because `stat` counts pages, and Node does not expose their size. */
function kilobytesByProc(pid: number): number | undefined {
  const size = statusField(pid, 'VmRSS')
  return size === undefined ? undefined : Number.parseInt(size, 10)
}

function kilobytesByPs(pids: readonly number[]): number[] {
  if (pids.length === 0) return []
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', pids.join(',')], {
    encoding: 'latin1',
    timeout: 5_000,
  })
  return (stdout ?? '').split('\n').map(Number)
}
