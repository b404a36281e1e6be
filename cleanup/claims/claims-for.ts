import type { AgentRef } from '../registry/layout.ts'
import { validateRef } from '../registry/layout.ts'
import { readTaskRegistry } from '../registry/registry.ts'
import { claim } from './claim.ts'
import type { Claim, Spared } from './evidence.ts'
import { observe } from './observe.ts'

/** Whose processes are an agent's and why, and which are left alone although something speaks for them. */
export interface Claimed {
  claimed: Claim[]
  spared: Spared[]
}

/** Looks, and ends nothing. Throws a CleanupError for what cannot be read or asked. */
export async function claimsFor(ref: AgentRef): Promise<Claimed> {
  validateRef(ref)
  const { claimed, spared } = claim(await observe(ref, readTaskRegistry(ref.workspace, ref.taskId)))
  return { claimed: [...claimed.values()], spared: [...spared] }
}
