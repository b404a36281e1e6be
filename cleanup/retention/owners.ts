import { textOf } from '../platform/files/json.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { taskRegistry } from '../registry/layout.ts'
import { isDone, isTerminal } from '../registry/lifecycle.ts'
import { mayListMore, readTaskRegistry } from '../registry/registry.ts'
import { setAsideText } from '../registry/set-aside.ts'
import { areHoldersSeen } from '../registry/world.ts'
import { type Clock, readingOf } from './clock.ts'

/** The agent that a log belongs to. */
interface Owner {
  state: 'live' | 'pending' | 'done' | 'unlisted'
  /** True when a process that holds the file may be invisible here. */
  isElsewhere?: boolean
  /** When its cleanup was done, by the wall clock in ms. */
  doneMs?: number
}

/** What one task's registry says about its agents. */
export interface Owners {
  of: (agentId: string) => Owner
  /** Earlier readings of the clock, from the live agents. */
  readings: Clock[]
  /** Which of its entries are not understood, in a sentence. */
  invalid?: string
}

/** Throws a CleanupError (`registry-unreadable`), and then no file of the task may be removed. */
export function readOwners(workspace: string, taskId: string): Owners {
  const registry = readTaskRegistry(workspace, taskId)
  const { agents } = registry
  const owners = new Map<string, Owner>()
  for (const entry of agents) owners.set(entry.id, stricter(owners.get(entry.id), ownerOf(entry)))
  const invalid = setAsideText(taskRegistry(workspace, taskId), registry)
  const live = agents.filter(({ status }) => !isTerminal(status))
  return {
    // An entry without a readable id may be any agent.
    of: agentId => owners.get(agentId) ?? { state: mayListMore(registry) ? 'live' : 'unlisted' },
    readings: live.flatMap(entry => readingOf(entry) ?? []),
    ...(invalid !== undefined && { invalid }),
  }
}

function ownerOf(entry: AgentEntry): Owner {
  if (!isTerminal(entry.status)) return { state: 'live' }
  if (!isDone(entry)) return { state: 'pending' }
  const doneMs = Date.parse(textOf(entry.cleanup?.finished_at ?? entry.completed_at))
  const isElsewhere = !areHoldersSeen(entry)
  return { state: 'done', ...(isElsewhere && { isElsewhere }), ...(!Number.isNaN(doneMs) && { doneMs }) }
}

const STRICTEST_FIRST: Owner['state'][] = ['live', 'pending', 'done', 'unlisted']

/** For an id that a registry lists twice: the entry that protects its files more. */
function stricter(known: Owner | undefined, other: Owner): Owner {
  if (!known || STRICTEST_FIRST.indexOf(other.state) < STRICTEST_FIRST.indexOf(known.state)) return other
  if (other.state !== known.state) return known
  return (other.doneMs ?? 0) > (known.doneMs ?? 0) ? other : known
}
