import { childrenOf } from '../processes/children.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import type { AgentEntry } from '../workspace/registry-types.ts'

/**
 * The process that runs the pipeline in the pane an agent was deployed in, as it was recorded; undefined when it was
 * not, or has ended. It costs one small read at most, and is a reason to look closer, no more.
 */
export function recordedShell(entry: AgentEntry): number | undefined {
  if (entry.contained?.by === 'tini') return childrenOf(entry.contained.pid)?.[0]
  return recordedTmux(entry)?.pane_pid
}

/** What a pane's process runs the agent in: itself, or the first child of the subreaper that it has started. */
export function below(panePid: number, { contained }: AgentEntry): number {
  if (contained?.by !== 'tini' || !childrenOf(panePid)?.includes(contained.pid)) return panePid
  return childrenOf(contained.pid)?.[0] ?? panePid
}
