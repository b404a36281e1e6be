import { type Ending, isPending } from '../cleaning/intent.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import type { AgentRef } from '../workspace/layout.ts'
import { readAgent } from '../workspace/registry.ts'
import { isTerminal } from '../workspace/status.ts'
import { Deploys } from './deploys.ts'
import { judge } from './judge.ts'

/**
 * How an agent has ended of which something is left to be cleaned up, for who comes by and has no daemon: by the
 * registry, or by what tmux says now. Undefined when it lives, is being deployed, or is clean. Throws a CleanupError
 * for what could not be read or asked.
 */
export async function endingOf(ref: AgentRef): Promise<Ending | undefined> {
  const entry = readAgent(ref)
  const { status, reason = `its status is ${status}` } = entry
  if (isTerminal(status)) return isPending(entry) ? { status, reason } : undefined
  const deploys = new Deploys()
  deploys.see([{ key: ref.agentId, entry }])
  if (!recordedTmux(entry) && deploys.mayBeInTheMaking(ref.agentId)) return undefined
  return judge(ref, entry)
}
