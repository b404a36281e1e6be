import { childrenOf } from '../platform/processes/children.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { recordedSubreaper } from './recorded.ts'

/**
 * The pid of the process that runs an agent's pipeline, by the registry's record; undefined when there is no record or the
 * process has ended. Costs one small read at most. The record proves nothing: it is a reason to check further.
 */
export function recordedShell(entry: AgentEntry): number | undefined {
  const subreaper = recordedSubreaper(entry)
  return subreaper ? childrenOf(subreaper.pid)?.[0] : recordedTmux(entry)?.pane_pid
}

/**
 * The pid of the process in which a pane runs the agent: the pane's own, or the first child of the recorded subreaper. The
 * subreaper counts only as a child of the pane's process, because the entry may name any process.
 */
export function pipelineShell(panePid: number, entry: AgentEntry): number {
  const subreaper = recordedSubreaper(entry)
  if (!subreaper || !childrenOf(panePid)?.includes(subreaper.pid)) return panePid
  return childrenOf(subreaper.pid)?.[0] ?? panePid
}
