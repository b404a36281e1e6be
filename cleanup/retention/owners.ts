import { textOf } from '../platform/files/json.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { isDone, isTerminal } from '../registry/lifecycle.ts'
import { mayListMore, readTaskRegistry } from '../registry/registry.ts'
import { type Clock, readingOf } from './clock.ts'

/** What a task's registry says of an agent, for its files' sake. */
interface Owner {
  state: 'live' | 'pending' | 'done' | 'unlisted'
  /** When its cleanup was done, by the wall clock in ms. */
  doneMs?: number
}

/** Everything that one task's registry says. */
export interface Owners {
  of: (agentId: string) => Owner
  /** Earlier readings of the clock, by the agents that live. */
  readings: Clock[]
}

/** Reads a task's registry. Throws a CleanupError (`registry-unreadable`): then nothing of the task may go. */
export function readOwners(workspace: string, taskId: string): Owners {
  const registry = readTaskRegistry(workspace, taskId)
  const { agents } = registry
  const owners = new Map<string, Owner>()
  for (const entry of agents) owners.set(entry.id, moreAlive(owners.get(entry.id), ownerOf(entry)))
  const live = agents.filter(({ status }) => !isTerminal(status))
  return {
    // Any of those that it does not list by an id may be the one.
    of: agentId => owners.get(agentId) ?? { state: mayListMore(registry) ? 'live' : 'unlisted' },
    readings: live.flatMap(entry => readingOf(entry) ?? []),
  }
}

function ownerOf(entry: AgentEntry): Owner {
  if (!isTerminal(entry.status)) return { state: 'live' }
  if (!isDone(entry)) return { state: 'pending' }
  const doneMs = Date.parse(textOf(entry.cleanup?.finished_at ?? entry.completed_at))
  return { state: 'done', ...(!Number.isNaN(doneMs) && { doneMs }) }
}

const ORDER: Owner['state'][] = ['live', 'pending', 'done', 'unlisted']

/** Should a registry list an id twice, the entry that protects more counts. */
function moreAlive(known: Owner | undefined, other: Owner): Owner {
  if (!known || ORDER.indexOf(other.state) < ORDER.indexOf(known.state)) return other
  if (other.state !== known.state) return known
  return (other.doneMs ?? 0) > (known.doneMs ?? 0) ? other : known
}
