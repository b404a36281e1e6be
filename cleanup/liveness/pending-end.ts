import type { AgentRef } from '../registry/layout.ts'
import { type Ending, endingOf, isPending, isTerminal } from '../registry/lifecycle.ts'
import { readAgent } from '../registry/registry.ts'
import { requireDeployedHere } from '../registry/world.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { detectEnd } from './detect-end.ts'
import { deployTimeLeft } from './pending-deploys.ts'

/**
 * Finds, without a daemon, how an agent ended whose cleanup is not done: by the registry, or by what tmux shows now.
 * Undefined when the agent lives, is being deployed, or is clean. Throws a CleanupError for what could not be read or
 * queried.
 */
export async function findEnding(ref: AgentRef): Promise<Ending | undefined> {
  const entry = readAgent(ref)
  if (isTerminal(entry.status)) return isPending(entry) ? endingOf(entry) : undefined
  requireDeployedHere(ref, entry)
  if (!recordedTmux(entry) && deployTimeLeft(entry) > 0) return undefined
  return detectEnd(ref, entry)
}
