import { descriptorTarget, tellsOpenFiles } from '../platform/processes/open-files.ts'
import type { Claim, Claims } from './evidence.ts'
import { logWriters } from './log-writers.ts'
import type { Observation } from './observation.ts'

/** What a process does for the agent's log, which decides when it may be ended. */
export type PipelineRole =
  /** It produces the log's lines (claude): it is ended first, and ends its own children. */
  | 'writer'
  /** It brings the lines to the file (`tee`): it ends by itself at the end of its input, and not a line is lost. */
  | 'reader'
  /** tmux started it in a pane. It leads the terminal's session: when it ends, the kernel hangs up on the others there. */
  | 'pane'
  | 'other'

/** Below the panes this is the program at a pipeline's end; asked for only where descriptors cannot be seen. */
const READER_NAME = 'tee'

const STDIN = 0
const STDOUT = 1

/**
 * Finds each claimed process's role by how the pipeline is laid, not by names: a reader writes the log and reads a
 * pipe; a writer's output is that pipe. Without a pipeline the writer is the process named claude, and without one
 * of that name whatever runs right below the pane. Where descriptors cannot be seen the reader is told by its name:
 * that decides only who is ended last, not whose it is.
 */
export function pipelineRoles(observation: Observation, { claimed }: Claims): (claim: Claim) => PipelineRole {
  const holders = new Set(logWriters(observation.openFiles, observation.log).map(({ pid }) => pid))
  const pipes = new Set<string>()
  const readers = new Set<number>()
  for (const pid of holders) {
    const input = claimed.has(pid) ? descriptorTarget({ pid, fd: STDIN }) : undefined
    if (!input?.startsWith('pipe:')) continue
    readers.add(pid)
    pipes.add(input)
  }
  if (!tellsOpenFiles)
    for (const { process } of claimed.values()) if (process.comm === READER_NAME) readers.add(process.pid)
  const all = [...claimed.values()].filter(({ process }) => !readers.has(process.pid))
  const isPane = ({ evidence }: Claim) => evidence.some(({ kind }) => kind === 'pane')
  const panes = new Set(all.filter(isPane).map(({ process }) => process.pid))
  const writers = firstOf(
    all.filter(({ process }) => pipes.has(descriptorTarget({ pid: process.pid, fd: STDOUT }) ?? '')),
    all.filter(({ process }) => process.comm === 'claude'),
    all.filter(({ process }) => panes.has(process.ppid)),
    all.filter(isPane),
  )
  return claim => {
    if (readers.has(claim.process.pid)) return 'reader'
    if (writers.has(claim.process.pid)) return 'writer'
    return isPane(claim) ? 'pane' : 'other'
  }
}

/** The first choice that anybody meets, by pid. */
function firstOf(...choices: Claim[][]): Set<number> {
  return new Set(choices.find(choice => choice.length > 0)?.map(({ process }) => process.pid))
}
