import { descriptorTarget, tellsOpenFiles } from '../platform/processes/open-files.ts'
import type { Claim, Claims } from './evidence.ts'
import type { Observation } from './observation.ts'
import { ownLogDescriptors, pipeInto } from './own-logs.ts'

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

const STDOUT = 1

/**
 * Finds each claimed process's role by the pipeline's descriptors: a log writer writes the log and reads a pipe; a
 * producer's output is that pipe. A program between them is a filter if claude's output comes to it; only the name tells it
 * from a claude that somebody writes its input to. Without a pipeline the producer is the process named claude, and without
 * one of that name whatever runs right below the pane. Where descriptors cannot be read, the log writer is recognised by its
 * name: the role decides only the order of signals, not whose the process is.
 */
export function pipelineRoles(observation: Observation, claims: Claims): (claim: Claim) => PipelineRole {
  const { claimed } = claims
  const pipes = new Set<string>()
  const writers = new Set<number>()
  const pipePanes = pipePanesInto(observation, claims)
  for (const { pid } of ownLogDescriptors(observation, claims)) {
    if (pipePanes.has(pid)) continue
    const input = pipeInto(pid)
    if (input === undefined) continue
    writers.add(pid)
    pipes.add(input)
  }
  const filters = pipes.size > 0 ? filtersBefore(pipes, claims) : []
  for (const { input } of filters) pipes.add(input)
  const filterPids = new Set(filters.map(({ pid }) => pid))
  if (!tellsOpenFiles)
    for (const { process } of claimed.values()) if (process.comm === LOG_WRITER_NAME) writers.add(process.pid)
  const all = [...claimed.values()].filter(
    ({ process: { pid } }) => !writers.has(pid) && !filterPids.has(pid),
  )
  const isPane = ({ evidence }: Claim) => evidence.some(({ kind }) => kind === 'pane')
  const panes = new Set(all.filter(isPane).map(({ process }) => process.pid))
  const producers = firstOf(
    all.filter(({ process }) => pipes.has(outputOf(process.pid))),
    all.filter(isClaude),
    all.filter(({ process }) => panes.has(process.ppid)),
    // A log writer that is left alone with its pane still has lines to read, and the pane's end would end it.
    writers.size > 0 ? [] : all.filter(isPane),
  )
  return claim => {
    const { pid, ppid } = claim.process
    if (writers.has(pid)) return 'log-writer'
    if (pipePanes.has(pid)) return 'pipe-pane'
    if (producers.has(pid)) return 'producer'
    // A filter that is a loop of a shell starts programs for each line.
    if (filterPids.has(pid) || (filterPids.has(ppid) && pipeInto(pid) !== undefined)) return 'filter'
    return isPane(claim) ? 'pane' : 'other'
  }
}

const isClaude = ({ process }: Claim): boolean => process.comm === 'claude'

const outputOf = (pid: number): string => descriptorTarget({ pid, fd: STDOUT }) ?? ''

/** The jobs of the agent's tmux server that bring the lines of a pane to its log. Jobs are in the server's own session. */
function pipePanesInto(observation: Observation, claims: Claims): ReadonlySet<number> {
  const { table, location } = observation
  const server = table.get(location.server?.pid ?? -1)
  const jobs = [...claims.claimed.values()].filter(
    ({ process }) => process !== server && process.sid === server?.sid,
  )
  if (jobs.length === 0) return new Set()
  // No pipe is named like a pid.
  const links = jobs.map(({ process: { pid } }) => ({
    pid,
    input: pipeInto(pid) ?? `${pid}`,
    output: outputOf(pid),
  }))
  const writers = new Set(ownLogDescriptors(observation, claims).map(({ pid }) => pid))
  const inputs = links.filter(({ pid }) => writers.has(pid)).map(({ input }) => input)
  const pipes = spread(inputs, links, 'output', 'input')
  return new Set(
    links.filter(({ pid, output }) => writers.has(pid) || pipes.has(output)).map(({ pid }) => pid),
  )
}

interface Link {
  pid: number
  input: string
  output: string
}

/** The processes through which the output of a claude comes to these pipes. */
function filtersBefore(inputs: ReadonlySet<string>, { claimed }: Claims): Link[] {
  const all = [...claimed.values()]
  const links = all.flatMap(one => {
    const input = isClaude(one) ? undefined : pipeInto(one.process.pid)
    return input === undefined ? [] : [{ pid: one.process.pid, input, output: outputOf(one.process.pid) }]
  })
  const after = spread(
    all.filter(isClaude).map(({ process }) => outputOf(process.pid)),
    links,
    'input',
    'output',
  )
  const before = spread(inputs, links, 'output', 'input')
  return links.filter(({ input, output }) => after.has(input) && before.has(output))
}

/** These pipes, and every other that can be reached from one by links, from one of their ends to the other. */
function spread(
  from: Iterable<string>,
  links: Link[],
  end: 'input' | 'output',
  other: 'input' | 'output',
): ReadonlySet<string> {
  const pipes = new Set(from)
  for (let size = -1; size < pipes.size; ) {
    size = pipes.size
    for (const link of links) if (pipes.has(link[end])) pipes.add(link[other])
  }
  return pipes
}

/** The pids of the first list that is not empty. */
function firstOf(...choices: Claim[][]): Set<number> {
  return new Set(choices.find(choice => choice.length > 0)?.map(({ process }) => process.pid))
}
