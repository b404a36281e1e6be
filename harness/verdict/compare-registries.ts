import type { RegistryResource, Snapshot } from '../snapshot/snapshot.ts'
import { shellWord } from '../terminal.ts'
import type { Mechanism } from './mechanisms.ts'
import type { ScenarioFacts } from './scenario-facts.ts'
import type { Finding } from './verdict.ts'

/** Statuses after which no process of an agent may be left, as orchestrators write them. */
const ended = new Set([
  'completed',
  'terminated',
  'error',
  'failed',
  'crashed',
  'killed',
  'cancelled',
  'timeout',
  'done',
  'stopped',
  'exited',
])

/** An entry without a status counts as live. */
const isEnded = (status: string | undefined): boolean => status !== undefined && ended.has(status)

/** Compares the registries with the truth: an agent lives while a session or a process of it does. */
export function compareRegistries(now: Snapshot, facts: ScenarioFacts, outlivedMs: number): Finding[] {
  const alive = livingAgents(now, facts)
  return now.resources.flatMap(one => {
    if (one.kind !== 'registry') return []
    const wrong = [...wrongEntries(one, alive), ...missingEntries(one, facts), ...wrongCount(one)]
    return wrong.map(({ agent, what, mechanism, why }) => ({
      verdict: 'leak' as const,
      kind: 'registry' as const,
      id: `${one.id} ${what}`,
      what: `the ${one.name} registry ${what}`,
      ...(agent ? { owner: { agent, evidence: 'its entry' } } : {}),
      mechanism,
      why,
      command: `cat ${shellWord(one.path)}`,
      outlivedMs,
    }))
  })
}

/**
 * What somebody else put into the registries and is not as it was: to round or reorder it is to damage it, to spell it in
 * another way is not.
 */
export function changedOfOthers(baseline: Snapshot, now: Snapshot, outlivedMs: number): Finding[] {
  const found = new Map(now.resources.map(one => [one.id, one]))
  return baseline.resources.flatMap(one => {
    if (one.kind !== 'registry' || !one.others) return []
    const after = found.get(one.id)
    const values = (after?.kind === 'registry' && after.others) || {}
    return Object.entries(one.others).flatMap(([place, text]) =>
      values[place] === text
        ? []
        : {
            verdict: 'collateral' as const,
            kind: 'registry' as const,
            id: `${one.id} ${place}`,
            what: `${place} in the ${one.name} registry, which somebody else wrote`,
            mechanism: 'changed' as const,
            why: changed(text, values[place]),
            command: `cat ${shellWord(one.path)}`,
            outlivedMs,
          },
    )
  })
}

/** How much of two texts is shown, from shortly before the place where they begin to differ. */
const SHOWN = 60

function changed(before: string, after: string | undefined): string {
  if (after === undefined) return 'it is gone'
  const at = [...before].findIndex((character, index) => character !== after[index])
  const from = Math.max(0, at - SHOWN / 3)
  const show = (text: string) => text.slice(from, from + SHOWN)
  return `whoever rewrote the registry changed …${show(before)} to …${show(after)}`
}

interface Wrong {
  agent?: string
  what: string
  mechanism: Mechanism
  why: string
}

function livingAgents(now: Snapshot, { isIgnored }: ScenarioFacts): Set<string> {
  const living = now.resources.filter(
    one => !isIgnored?.(one) && (one.kind === 'session' || (one.kind === 'process' && one.state !== 'Z')),
  )
  return new Set(living.flatMap(one => one.owner?.agent ?? []))
}

function wrongEntries({ agents }: RegistryResource, alive: Set<string>): Wrong[] {
  return agents.flatMap(({ id, status }): Wrong[] => {
    if (isEnded(status) === !alive.has(id)) return []
    const written = status ?? 'without a status'
    return alive.has(id)
      ? [
          {
            agent: id,
            what: `says ${id} is ${written}, but it lives`,
            mechanism: 'status-without-end' as const,
            why: 'a status was written and nothing was ended',
          },
        ]
      : [
          {
            agent: id,
            what: `says ${id} is ${written}, but no process or session of it is left`,
            mechanism: 'end-not-recorded' as const,
            why: 'its end was never recorded, or another writer undid the record',
          },
        ]
  })
}

function missingEntries({ agents }: RegistryResource, facts: ScenarioFacts): Wrong[] {
  const entered = new Set(agents.map(({ id }) => id))
  // A scenario has one task, so a registry of one task lists all its agents, too.
  return facts.agents
    .filter(id => !entered.has(id))
    .map(id => ({
      agent: id,
      what: `lacks ${id}`,
      mechanism: 'entry-lost' as const,
      why: 'an update was lost: another writer wrote back an older copy',
    }))
}

function wrongCount({ active, agents }: RegistryResource): Wrong[] {
  const live = agents.filter(({ status }) => !isEnded(status)).length
  if (!active || active.count === live) return []
  return [
    {
      what: `has ${active.field} ${active.count}, but ${live} of its entries are live`,
      mechanism: 'count-wrong' as const,
      why: 'the count is incremented and decremented instead of derived from the entries',
    },
  ]
}
