import type { ProcessTable, SeenProcess } from './table.ts'

/** A process and its parents, nearest first, up to below process 1 or to where the table ends. */
export function selfAndAncestors(table: ProcessTable, pid: number): SeenProcess[] {
  const chain: SeenProcess[] = []
  for (let at = table.get(pid); at && at.pid !== 1 && !chain.includes(at); at = table.get(at.ppid))
    chain.push(at)
  return chain
}
