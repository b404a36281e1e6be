import { type ByPid, byPid } from '../snapshot/by-pid.ts'
import type { ProcessResource, Resource, Snapshot } from '../snapshot/snapshot.ts'
import { changedOfOthers, compareRegistries } from './compare-registries.ts'
import { describeLeak, describeLoss } from './describe.ts'
import { applyPolicy } from './policy.ts'
import type { ScenarioFacts } from './scenario-facts.ts'
import type { Finding, Verdict } from './verdict.ts'

export type Difference = Pick<Verdict, 'leaks' | 'collateral' | 'kept' | 'notes'>

/** Descriptors and ptys come and go with their processes, and registries are compared by their contents. */
const neverMissed = new Set(['descriptor', 'pty', 'registry'])

/** What is new since the baseline and what is gone, by identity. */
export function compare(baseline: Snapshot, now: Snapshot, facts: ScenarioFacts): Difference {
  const before = new Map(baseline.resources.map(one => [one.id, one]))
  const after = new Map(now.resources.map(one => [one.id, one]))
  const index = byPid(now.resources)
  const isNew = (one: Resource) =>
    !before.has(one.id) &&
    !facts.mayBeNew?.(one) &&
    !facts.isIgnored?.(one) &&
    !isOpenInBystander(one, index, before, facts)
  const added = now.resources.filter(one => one.kind !== 'registry' && isNew(one))
  const { kept, left } = applyPolicy(added, facts)
  const notes = left.filter(one => isTmuxZombie(one, index)).map(describeTmuxZombie)
  const leaked = left.filter(one => !isTmuxZombie(one, index))
  const lost = baseline.resources.filter(one => !neverMissed.has(one.kind) && isLost(one, after.get(one.id)))
  const outlivedMs = Math.round(now.at - facts.endedAt)
  return {
    leaks: [
      ...leaked.map(one => describeLeak(one, now, outlivedMs)),
      ...grownProcesses(before, now, facts, outlivedMs),
      ...compareRegistries(now, facts, outlivedMs),
    ],
    collateral: [
      ...lost.map(one => describeLoss(one, after.get(one.id), outlivedMs)),
      ...changedOfOthers(baseline, now, outlivedMs),
    ],
    kept,
    notes,
  }
}

/** A bystander may open files, such as an agent's log that is archived while the bystander reads it. */
function isOpenInBystander(
  one: Resource,
  { processes }: ByPid,
  before: Map<string, Resource>,
  facts: ScenarioFacts,
): boolean {
  if (one.kind !== 'descriptor') return false
  const holder = processes.get(one.pid)
  return holder !== undefined && before.has(holder.id) && !facts.system.has(holder.id)
}

/** A bystander that was stopped or killed keeps its identity, but it was harmed all the same. */
function isLost(before: Resource, after: Resource | undefined): boolean {
  if (!after) return true
  if (before.kind !== 'process' || after.kind !== 'process') return false
  return !/[TZ]/.test(before.state) && /[TZ]/.test(after.state)
}

/** The orchestrator and the daemon may hold no more descriptors than before the first deploy. */
function grownProcesses(
  before: Map<string, Resource>,
  now: Snapshot,
  facts: ScenarioFacts,
  outlivedMs: number,
): Finding[] {
  return now.resources.flatMap(one => {
    const earlier = before.get(one.id)
    if (one.kind !== 'process' || earlier?.kind !== 'process' || !facts.system.has(one.id)) return []
    // A tmux server holds some for each of its panes, which are resources themselves.
    if (one.comm === 'tmux: server') return []
    if (one.descriptors <= earlier.descriptors) return []
    return {
      verdict: 'leak' as const,
      kind: 'descriptor' as const,
      id: `${one.id} descriptors`,
      what: `${one.comm} (${one.pid}) of the system holds ${one.descriptors} descriptors, and ${earlier.descriptors} in the baseline`,
      mechanism: 'descriptor-not-closed' as const,
      why: 'opened for an agent and not closed at its end',
      command: `ls -l /proc/${one.pid}/fd`,
      outlivedMs,
    }
  })
}

/**
 * A zombie whose parent is a live tmux server: tmux 3.3a sometimes collects the process of a pane only when its next
 * child ends (under load, one pane in a hundred). No cleanup can end a zombie, and it holds nothing but a pid, so it is
 * noted and does not count as a leak.
 */
function isTmuxZombie(one: Resource, { servers }: ByPid): one is ProcessResource {
  return one.kind === 'process' && one.state === 'Z' && servers.has(one.ppid)
}

function describeTmuxZombie(one: Resource): string {
  const { comm, pid, ppid } = one as ProcessResource
  return `${comm} (${pid}) is a zombie that tmux server ${ppid} has not collected yet, which is a delay of tmux itself`
}
