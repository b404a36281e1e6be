import type { AgentRef } from '../registry/layout.ts'
import { validateRef } from '../registry/layout.ts'
import { readTaskRegistry } from '../registry/registry.ts'
import { claim } from './claim.ts'
import type { Claim, Spared } from './evidence.ts'
import { observe } from './observe.ts'

/** The processes that are an agent's, with the evidence, and those that are left alone although there is evidence. */
export interface Claimed {
  claimed: Claim[]
  spared: Spared[]
}

/** Reads an agent's claims, and ends nothing. Throws a CleanupError for what cannot be read or asked. */
export async function claimsFor(ref: AgentRef): Promise<Claimed> {
  validateRef(ref)
  const { claimed, spared } = claim(await observe(ref, readTaskRegistry(ref.workspace, ref.taskId)))
  return { claimed: [...claimed.values()], spared: [...spared] }
}
