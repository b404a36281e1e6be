import { hasEnded } from '../../platform/processes/stat.ts'
import type { Machine, SeenProcess } from '../../platform/processes/table.ts'
import type { AgentEntry, TaskRegistry } from '../../registry/entries.ts'
import type { AgentRef } from '../../registry/layout.ts'
import { isPending, isTerminal } from '../../registry/lifecycle.ts'
import type { TmuxLocation } from '../../tmux/locate.ts'
import { claim } from '../claim.ts'
import { observe } from '../observe.ts'
import type { Suspect } from '../suspect.ts'
import { findSuspects } from '../suspects.ts'
import { livingSuspects } from './suspects.ts'

/** An agent that a registry lists, and what is known to be its own on the machine. */
export interface ListedAgent {
  ref: AgentRef
  entry: AgentEntry
  /** True when its cleanup is done. Then nothing is claimed for it: whatever is left of it is a leftover or a suspect. */
  isDone: boolean
  location: TmuxLocation | undefined
  /** What a cleanup would claim. */
  processes: readonly SeenProcess[]
  suspects: readonly Suspect[]
}

/** An agent of which nothing is known beyond its entry. */
export const listedAgent = (ref: AgentRef, entry: AgentEntry): ListedAgent => ({
  ref,
  entry,
  isDone: isTerminal(entry.status) && !isPending(entry),
  location: undefined,
  processes: [],
  suspects: [],
})

/**
 * Finds what belongs to a listed agent now. `log`: the real path of its stream log, where it is known already. Throws what
 * could not be read or asked.
 */
export async function observeListed(
  ref: AgentRef,
  entry: AgentEntry,
  registry: TaskRegistry,
  machine: Machine,
  log?: string,
): Promise<ListedAgent> {
  const listed = listedAgent(ref, entry)
  if (listed.isDone) return { ...listed, suspects: livingSuspects(entry, machine.table) }
  const observation = await observe(ref, registry, {
    machine,
    isOnlyShown: true,
    ...(log !== undefined && { log }),
  })
  const claims = claim(observation)
  return {
    ...listed,
    location: observation.location,
    processes: [...claims.claimed.values()].map(({ process }) => process).filter(one => !hasEnded(one)),
    suspects: findSuspects(observation, claims),
  }
}
