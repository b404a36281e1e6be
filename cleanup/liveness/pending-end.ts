import type { AgentRef } from '../registry/layout.ts'
import { type Ending, isPending, isTerminal } from '../registry/lifecycle.ts'
import { readAgent } from '../registry/registry.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { detectEnd } from './detect-end.ts'
import { Deploys } from './pending-deploys.ts'

/**
 * How an agent has ended of which something is left to be cleaned up, for who comes by and has no daemon: by the
 * registry, or by what tmux says now. Undefined when it lives, is being deployed, or is clean. Throws a CleanupError
 * for what could not be read or asked.
 */
export async function findEnding(ref: AgentRef): Promise<Ending | undefined> {
  const entry = readAgent(ref)
  const { status, reason = `its status is ${status}` } = entry
  if (isTerminal(status)) return isPending(entry) ? { status, reason } : undefined
  const deploys = new Deploys()
  deploys.see([{ key: ref.agentId, entry }])
  if (!recordedTmux(entry) && deploys.mayBeInTheMaking(ref.agentId)) return undefined
  return detectEnd(ref, entry)
}
