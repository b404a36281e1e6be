import { claimsFor } from '../claims/claims-for.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import type { Ending } from '../registry/lifecycle.ts'
import { lastEvent, saysSuccess } from '../registry/stream-log.ts'

/**
 * How an agent ends that has finished its work and idles; undefined when that is not certain. It is certain when the
 * last event of the log is a successful result, and only claude's own processes run: claude starts every command in a
 * session of its own (setsid), and its MCP servers in claude's session. Ends nothing.
 */
export async function detectFinished(ref: AgentRef, entry: AgentEntry): Promise<Ending | undefined> {
  if (!hasFinished(ref, entry)) return undefined
  const { claimed } = await claimsFor(ref)
  const alive = claimed.map(({ process }) => process).filter(process => !hasEnded(process))
  const panes = claimed.filter(({ evidence }) => evidence.some(({ kind }) => kind === 'pane'))
  const sessions = new Set(panes.map(({ process }) => process.sid))
  if (sessions.size === 0 || !alive.every(({ sid }) => sessions.has(sid))) return undefined
  // Read once more, because the agent may have been woken up while its processes were listed.
  if (!hasFinished(ref, entry)) return undefined
  return { status: 'completed', reason: 'its log ends with a successful result, and then it idled' }
}

/** True when the last event of an agent's log is a successful result. */
export function hasFinished(ref: AgentRef, entry: AgentEntry): boolean {
  const last = lastEvent(agentFiles(ref, entry).stream)
  return last?.type === 'result' && saysSuccess(last)
}
