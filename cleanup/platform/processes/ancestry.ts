import type { Process } from './stat.ts'
import type { ProcessTable, SeenProcess } from './table.ts'

/** A process and its ancestors, nearest first, without process 1. Ends where the table lacks a parent. */
export function selfAndAncestors(table: ProcessTable, pid: number): SeenProcess[] {
  const chain: SeenProcess[] = []
  for (let at = table.get(pid); at && at.pid !== 1 && !chain.includes(at); at = table.get(at.ppid))
    chain.push(at)
  return chain
}

/** Names (comm) of programs that adopt orphans as process 1 does (PR_SET_CHILD_SUBREAPER). */
const ADOPTERS: ReadonlySet<string> = new Set(['systemd', 'init', 'tini', 'dumb-init', 'docker-init'])

/** True when the parent looks like an adopter, so the original parent has ended. Never evidence that a process is an agent's. */
export const isOrphan = ({ ppid }: Process, table: ReadonlyMap<number, Pick<Process, 'comm'>>): boolean =>
  isAdopter({ pid: ppid, comm: table.get(ppid)?.comm ?? '' })

/** True for process 1, and for what is called like a program that adopts orphans. */
export const isAdopter = ({ pid, comm }: Pick<Process, 'pid' | 'comm'>): boolean =>
  pid === 1 || ADOPTERS.has(comm)

/** Some processes, and everything below them. */
export function withDescendants(
  table: ProcessTable,
  roots: readonly SeenProcess[],
): ReadonlySet<SeenProcess> {
  const children = roots.length > 0 ? Map.groupBy(table.values(), process => process.ppid) : new Map()
  const found = new Set<SeenProcess>()
  const open = [...roots]
  for (let next = open.pop(); next; next = open.pop()) {
    if (found.has(next)) continue
    found.add(next)
    open.push(...(children.get(next.pid) ?? []))
  }
  return found
}
