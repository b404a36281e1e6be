import { claimsFor } from '../claims/claims-for.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import type { Ending } from '../registry/lifecycle.ts'
import { lastEvent, saysSuccess } from '../registry/stream-log.ts'

/**
 * How an agent ends that has finished and idles; undefined when that is not certain. It is when the last event of its
 * log is a result that says success, and it runs nothing but what belongs to claude itself: claude starts every
 * command in a session of its own (setsid), and MCP servers in its own. Ends nothing.
 */
export async function detectIdleEnd(ref: AgentRef, entry: AgentEntry): Promise<Ending | undefined> {
  if (!hasFinished(ref, entry)) return undefined
  const { claimed } = await claimsFor(ref)
  const alive = claimed.map(({ process }) => process).filter(process => !hasEnded(process))
  const panes = claimed.filter(({ evidence }) => evidence.some(({ kind }) => kind === 'pane'))
  const sessions = new Set(panes.map(({ process }) => process.sid))
  if (sessions.size === 0 || !alive.every(({ sid }) => sessions.has(sid))) return undefined
  // Looked at again: it may have been woken up meanwhile.
  if (!hasFinished(ref, entry)) return undefined
  return { status: 'completed', reason: 'its log ends with a successful result, and then it idled' }
}

function hasFinished(ref: AgentRef, entry: AgentEntry): boolean {
  const last = lastEvent(agentFiles(ref, entry).stream)
  return last?.type === 'result' && saysSuccess(last)
}
