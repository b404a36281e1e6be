import { childrenOf } from '../processes/children.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import type { AgentEntry } from '../workspace/registry-types.ts'

/** The process that runs the pipeline in the pane an agent was deployed in; undefined when that is not recorded. */
export function paneShell(entry: AgentEntry): number | undefined {
  const recorded = recordedTmux(entry)
  return recorded && below(recorded.pane_pid, entry)
}

/** What a pane's process runs the agent in: itself, or the first child of the subreaper that it has started. */
export function below(panePid: number, { contained }: AgentEntry): number {
  if (contained?.by !== 'tini' || !childrenOf(panePid)?.includes(contained.pid)) return panePid
  return childrenOf(contained.pid)?.[0] ?? panePid
}
