import { descriptorTarget, tellsOpenFiles } from '../platform/processes/open-files.ts'
import type { Claim, Claims } from './evidence.ts'
import type { Observation } from './observation.ts'
import { ownLogDescriptors, pipeInto } from './own-logs.ts'

/** What a process does for the agent's log. It decides when the process may be ended. */
export type PipelineRole =
  /** It produces the log's lines (claude). It is ended first, and ends its own children. */
  | 'producer'
  /** It brings the lines to the file (`tee`). It ends by itself at the end of its input, so no line is lost. */
  | 'log-writer'
  /** tmux started it in a pane. It leads the terminal's session: when it ends, the kernel hangs up on all others there. */
  | 'pane'
  | 'other'

/** The name of the program at a pipeline's end: used only where descriptors cannot be read. */
const LOG_WRITER_NAME = 'tee'

const STDOUT = 1

/**
 * Finds each claimed process's role by the pipeline's descriptors, not by names: a log writer writes the log and reads a
 * pipe; a producer's output is that pipe. Without a pipeline the producer is the process named claude, and without one of
 * that name whatever runs right below the pane. Where descriptors cannot be read, the log writer is recognised by its name:
 * the role decides only the order of signals, not whose the process is.
 */
export function pipelineRoles(observation: Observation, claims: Claims): (claim: Claim) => PipelineRole {
  const { claimed } = claims
  const pipes = new Set<string>()
  const writers = new Set<number>()
  for (const { pid } of ownLogDescriptors(observation, claims)) {
    const input = pipeInto(pid)
    if (input === undefined) continue
    writers.add(pid)
    pipes.add(input)
  }
  if (!tellsOpenFiles)
    for (const { process } of claimed.values()) if (process.comm === LOG_WRITER_NAME) writers.add(process.pid)
  const all = [...claimed.values()].filter(({ process }) => !writers.has(process.pid))
  const isPane = ({ evidence }: Claim) => evidence.some(({ kind }) => kind === 'pane')
  const panes = new Set(all.filter(isPane).map(({ process }) => process.pid))
  const producers = firstOf(
    all.filter(({ process }) => pipes.has(descriptorTarget({ pid: process.pid, fd: STDOUT }) ?? '')),
    all.filter(({ process }) => process.comm === 'claude'),
    all.filter(({ process }) => panes.has(process.ppid)),
    // A log writer that is left alone with its pane still has lines to read, and the pane's end would end it.
    writers.size > 0 ? [] : all.filter(isPane),
  )
  return claim => {
    if (writers.has(claim.process.pid)) return 'log-writer'
    if (producers.has(claim.process.pid)) return 'producer'
    return isPane(claim) ? 'pane' : 'other'
  }
}

/** The pids of the first list that is not empty. */
function firstOf(...choices: Claim[][]): Set<number> {
  return new Set(choices.find(choice => choice.length > 0)?.map(({ process }) => process.pid))
}
