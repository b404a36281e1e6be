import { selfAndAncestors } from '../platform/processes/ancestry.ts'
import { inputsOf, outputOf, readsOthers } from '../platform/processes/channels.ts'
import { tellsOpenFiles } from '../platform/processes/open-files.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import type { Claim, Claims } from './evidence.ts'
import type { Observation } from './observation.ts'
import { ownLogDescriptors } from './own-logs.ts'

/** What a process does for the agent's log. It decides when the process may be ended. */
export type PipelineRole =
  /** It produces the log's lines (claude). It is ended first, and ends its own children. */
  | 'producer'
  /** It passes the lines on to the log writer (`claude | jq | tee`). It ends by itself at the end of its input, as that does. */
  | 'filter'
  /** It brings the lines to the file (`tee`). It ends by itself at the end of its input, so no line is lost. */
  | 'log-writer'
  /** The tmux server started it to read a pane (`pipe-pane`), and it writes the log. It ends by itself when the pane does. */
  | 'pipe-pane'
  /** tmux started it in a pane. It leads the terminal's session: when it ends, the kernel hangs up on all others there. */
  | 'pane'
  | 'other'

/** The name of the program at a pipeline's end: used only where descriptors cannot be read. */
const LOG_WRITER_NAME = 'tee'

/**
 * Finds each claimed process's role by the pipeline's descriptors: a log writer writes the log and reads a pipe, or the
 * terminal that it serves (`script`); a producer's output is that. A program between them is a filter if claude's output
 * comes to it; only the name tells it from a claude that somebody writes its input to. Without a pipeline the producer is the
 * process named claude, and without one of that name whatever runs right below the pane. Where descriptors cannot be read,
 * the log writer is recognised by its name: the role decides only the order of signals, not whose the process is.
 */
export function pipelineRoles(observation: Observation, claims: Claims): (claim: Claim) => PipelineRole {
  const { claimed } = claims
  const { table } = observation
  const pipePanes = pipePanesInto(observation, claims)
  const links = [...claimed.values()].map(linkOf)
  const written = new Set(ownLogDescriptors(observation, claims).map(({ pid }) => pid))
  const atLog = links.filter(
    ({ pid, inputs }) => written.has(pid) && !pipePanes.has(pid) && inputs.length > 0,
  )
  const writers = new Set(atLog.map(({ pid }) => pid))
  const filters = filtersBefore(atLog, links)
  const channels = new Set([...atLog, ...filters].flatMap(({ inputs }) => inputs))
  const filterPids = new Set(filters.map(({ pid }) => pid))
  if (!tellsOpenFiles)
    for (const { process } of claimed.values()) if (process.comm === LOG_WRITER_NAME) writers.add(process.pid)
  const isPassing = ({ process }: Claim) =>
    filterPids.has(process.pid) || helpsFilter(process, filterPids, table)
  const all = [...claimed.values()].filter(
    one => ![writers, pipePanes].some(pids => pids.has(one.process.pid)) && !isPassing(one),
  )
  const isPane = ({ evidence }: Claim) => evidence.some(({ kind }) => kind === 'pane')
  const panes = new Set(all.filter(isPane).map(({ process }) => process.pid))
  const producers = firstOf(
    all.filter(({ process }) => channels.has(outputOf(process.pid) ?? '')),
    all.filter(isClaude),
    all.filter(({ process }) => panes.has(process.ppid)),
    // A log writer that is left alone with its pane still has lines to read, and the pane's end would end it.
    writers.size > 0 ? [] : all.filter(isPane),
  )
  return claim => {
    const { pid } = claim.process
    if (writers.has(pid)) return 'log-writer'
    if (pipePanes.has(pid)) return 'pipe-pane'
    if (producers.has(pid)) return 'producer'
    return isPassing(claim) ? 'filter' : isPane(claim) ? 'pane' : 'other'
  }
}

const isClaude = ({ process }: Claim): boolean => process.comm === 'claude'

/** A process as a part of a pipeline. Nothing comes through claude: it works. */
interface Link {
  pid: number
  isSource: boolean
  inputs: string[]
  outputs: string[]
}

const linkOf = (one: Claim): Link => ({
  pid: one.process.pid,
  isSource: isClaude(one),
  inputs: isClaude(one) ? [] : inputsOf(one.process.pid),
  outputs: [outputOf(one.process.pid) ?? []].flat(),
})

/** The jobs of the agent's tmux server that bring the lines of a pane to its log. Jobs are in the server's own session. */
function pipePanesInto(observation: Observation, claims: Claims): ReadonlySet<number> {
  const { table, location } = observation
  const server = table.get(location.server?.pid ?? -1)
  const jobs = [...claims.claimed.values()].filter(
    ({ process }) => process !== server && process.sid === server?.sid,
  )
  if (jobs.length === 0) return new Set()
  const links = jobs.map(linkOf)
  const written = new Set(ownLogDescriptors(observation, claims).map(({ pid }) => pid))
  const atLog = links.filter(({ pid }) => written.has(pid))
  return new Set([...atLog, ...reach(atLog, links, 'outputs', 'inputs')].map(({ pid }) => pid))
}

/** The processes through which the output of a claude comes to those at the log. */
function filtersBefore(atLog: Link[], links: Link[]): Link[] {
  const after = reach(
    links.filter(({ isSource }) => isSource),
    links,
    'inputs',
    'outputs',
  )
  return [...reach(atLog, links, 'outputs', 'inputs')].filter(
    one => after.has(one) && !one.isSource && !atLog.includes(one),
  )
}

/** Every link that can be reached from some, one step after the other: its `near` ends are the `far` ends of the step before. */
function reach(
  from: Link[],
  links: Link[],
  near: 'inputs' | 'outputs',
  far: 'inputs' | 'outputs',
): ReadonlySet<Link> {
  const found = new Set<Link>()
  const channels = new Set(from.flatMap(one => one[far]))
  for (let size = -1; size < found.size; ) {
    size = found.size
    for (const link of links) {
      if (found.has(link) || !link[near].some(one => channels.has(one))) continue
      found.add(link)
      for (const one of link[far]) channels.add(one)
    }
  }
  return found
}

/** True for a program that a filter has started and feeds, such as the loop of a shell does for each line; claude's children are not. */
function helpsFilter(process: SeenProcess, filters: ReadonlySet<number>, table: ProcessTable): boolean {
  if (filters.size === 0) return false
  const above = selfAndAncestors(table, process.ppid)
  const nearest = above.find(({ pid, comm }) => filters.has(pid) || comm === 'claude')
  return (
    nearest !== undefined && filters.has(nearest.pid) && process.comm !== 'claude' && readsOthers(process.pid)
  )
}

/** The pids of the first list that is not empty. */
function firstOf(...choices: Claim[][]): Set<number> {
  return new Set(choices.find(choice => choice.length > 0)?.map(({ process }) => process.pid))
}
