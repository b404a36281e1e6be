import type { Process } from './stat.ts'
import type { ProcessTable, SeenProcess } from './table.ts'

/** A process and its parents, nearest first, up to below process 1 or to where the table ends. */
export function selfAndAncestors(table: ProcessTable, pid: number): SeenProcess[] {
  const chain: SeenProcess[] = []
  for (let at = table.get(pid); at && at.pid !== 1 && !chain.includes(at); at = table.get(at.ppid))
    chain.push(at)
  return chain
}

/** Who takes orphans in beside process 1 (PR_SET_CHILD_SUBREAPER), by the names that ps shows. */
const ADOPTERS: ReadonlySet<string> = new Set(['systemd', 'init', 'tini', 'dumb-init', 'docker-init'])

/** True when a process's parent has ended, as far as its present one tells. It never makes a process an agent's. */
export const isOrphan = ({ ppid }: Process, table: ReadonlyMap<number, Pick<Process, 'comm'>>): boolean =>
  ppid === 1 || ADOPTERS.has(table.get(ppid)?.comm ?? '')
