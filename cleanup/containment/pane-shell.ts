import { childrenOf } from '../platform/processes/children.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { recordedSubreaper } from './recorded.ts'

/**
 * The process that runs the pipeline in the pane an agent was deployed in, as it was recorded; undefined when it was
 * not, or has ended. It costs one small read at most, and is a reason to look closer, no more.
 */
export function recordedShell(entry: AgentEntry): number | undefined {
  const subreaper = recordedSubreaper(entry)
  return subreaper ? childrenOf(subreaper.pid)?.[0] : recordedTmux(entry)?.pane_pid
}

/**
 * What a pane's process runs the agent in: itself, or the first child of the subreaper that it has started. It must be
 * the pane's child, so that an entry can name nobody from elsewhere here.
 */
export function pipelineShell(panePid: number, entry: AgentEntry): number {
  const subreaper = recordedSubreaper(entry)
  if (!subreaper || !childrenOf(panePid)?.includes(subreaper.pid)) return panePid
  return childrenOf(subreaper.pid)?.[0] ?? panePid
}
