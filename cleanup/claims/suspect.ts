import { ageMs, commandOf } from '../platform/processes/details.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'

/** A process that may be an agent's although no evidence ties it to one: named, and left alone. */
export interface Suspect {
  pid: number
  start: number
  comm: string
  command: string
  /** How long ago it started, in ms. */
  ageMs: number
  /** Why it is suspected, for people. */
  resemblances: string[]
}

export const describeSuspect = (process: SeenProcess, resemblances: string[]): Suspect => ({
  pid: process.pid,
  start: process.start,
  comm: process.comm,
  command: commandOf(process),
  ageMs: ageMs(process),
  resemblances,
})

interface Relatives {
  /** By the parent's pid. */
  children: ReadonlyMap<number, SeenProcess[]>
  /** By the pid of the session's leader. */
  members: ReadonlyMap<number, SeenProcess[]>
}

const relativesByTable = new WeakMap<ProcessTable, Relatives>()

/** The same for all agents. */
function relativesIn(table: ProcessTable): Relatives {
  const found = relativesByTable.get(table) ?? {
    children: Map.groupBy(table.values(), ({ ppid }) => ppid),
    members: Map.groupBy(table.values(), ({ sid }) => sid),
  }
  relativesByTable.set(table, found)
  return found
}

/** Adds whatever runs below a suspect, or in a session that it opened. */
export function addRelatives(
  found: Map<SeenProcess, string[]>,
  table: ProcessTable,
  isCandidate: (process: SeenProcess) => boolean,
): void {
  if (found.size === 0) return
  const { children, members } = relativesIn(table)
  const open = [...found.keys()]
  for (let next = open.pop(); next; next = open.pop()) {
    const { comm, pid, sid } = next
    const relatives: [SeenProcess, string][] = [
      ...(children.get(pid) ?? []).map((one): [SeenProcess, string] => [one, `a child of ${comm} ${pid}`]),
      ...(pid === sid ? (members.get(sid) ?? []) : []).map((one): [SeenProcess, string] => [
        one,
        `in the session that ${comm} ${pid} opened`,
      ]),
    ]
    for (const [relative, why] of relatives) {
      if (found.has(relative) || !isCandidate(relative)) continue
      found.set(relative, [`${why}, which is a suspect`])
      open.push(relative)
    }
  }
}

/** True when an id stands in a command line as a word, or as a part of a name that is built from it. */
export function mentions(command: string, agentId: string): boolean {
  // Most command lines do not contain it, and a search costs less than building an expression for each id.
  if (!command.includes(agentId)) return false
  return new RegExp(`(^|[^A-Za-z0-9-])${agentId}($|[^A-Za-z0-9-])`).test(command)
}
