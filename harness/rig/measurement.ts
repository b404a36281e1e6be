import type { Kept } from '../definition/system.ts'
import { CannotMeasureError } from '../errors.ts'
import type { ProbeApi } from '../probe/api.ts'
import type { Resource, Snapshot } from '../snapshot/snapshot.ts'
import { count } from '../timeline/counts.ts'
import { TimelineRecorder } from '../timeline/recorder.ts'
import { compare, type Difference } from '../verdict/compare.ts'
import { keptFiles } from '../verdict/policy.ts'
import type { ScenarioFacts } from '../verdict/scenario-facts.ts'
import { defaultTiming, type Settled, type SettleTiming, settle } from '../verdict/settle.ts'
import { stableBaseline } from '../verdict/stable-baseline.ts'
import type { Finding, Verdict } from '../verdict/verdict.ts'
import { IgnoreList } from './ignore-list.ts'
import { SnapshotSingleFlight } from './snapshot-single-flight.ts'

/** What has to be there at a settling, where agents live on or bystanders came after the first ending. */
export interface Expected {
  baseline: Snapshot
  /** True for a resource that may be there as well. */
  mayBeNew(one: Resource): boolean
}

/** What is there at the end of a round, when everything has settled. */
export interface SettledRound {
  /** Files that a policy or the system keeps. */
  kept: Resource[]
  /** Everything else that is not ignored: what was there before, and what is left. */
  left: Resource[]
  /** What earlier rounds had not left. */
  leaks: Finding[]
  collateral: Finding[]
}

/** A deployed agent, as far as a verdict needs it. */
export interface MeasuredAgent {
  id: string
  /** What a system's answers named, such as its session. */
  values: Readonly<Record<string, string>>
  /** The ids of the commands that its claude waits for. */
  foregroundTasks(): Promise<string[]>
  /** What was answered to its reports of its completion that failed. */
  failedReports(): Promise<string[]>
}

/** What an agent may be called in the system's own list. */
export const namesOf = ({ id, values }: Pick<MeasuredAgent, 'id' | 'values'>): string[] => [
  id,
  ...[values.session, values.pane].filter(name => name !== undefined),
]

/**
 * The measuring part of a rig: the baseline, what joins it, what is ignored, and the verdicts. It starts and ends
 * nothing.
 */
export class Measurement {
  readonly probe: ProbeApi
  readonly verdicts: Verdict[] = []
  /** What happened, as far as the snapshots show. */
  readonly timeline = new TimelineRecorder()
  readonly #deployed: MeasuredAgent[] = []
  /** Identities of the processes that the system started before its first agent. */
  #ownProcesses = new Set<string>()
  /** The agent with which each process and socket without an owner appeared. */
  readonly #startedWith = new Map<string, string>()
  readonly #ignoreList = new IgnoreList()
  #baseline: Promise<Snapshot> | undefined
  readonly #snapshots: SnapshotSingleFlight
  #endedAt: number | undefined

  readonly #keeps: readonly Kept[]
  /** What was found while agents were deployed, and is true whatever a settling shows. */
  readonly #standing: Finding[] = []

  /** `keeps`: what the system declares to keep after an agent's end. */
  constructor(probe: ProbeApi, keeps: readonly Kept[]) {
    this.probe = probe
    this.#keeps = keeps
    this.#snapshots = new SnapshotSingleFlight(
      () => probe.snapshot(),
      snapshot => this.timeline.add(snapshot),
    )
  }

  /** Takes a snapshot of the sandbox; callers that wait at the same time share one. */
  snapshot(): Promise<Snapshot> {
    return this.#snapshots.take()
  }

  /** The last snapshot that was taken: it is still here when the sandbox is gone. */
  get lastSnapshot(): Snapshot | undefined {
    return this.#snapshots.last
  }

  /** Counts every process that runs now as the system's own. Later calls do nothing: agents may run by then. */
  protected async noteOwnProcesses(): Promise<void> {
    if (this.#baseline) return
    const { resources } = await this.snapshot()
    this.#ownProcesses = new Set(resources.flatMap(one => (one.kind === 'process' ? one.id : [])))
  }

  /** From now on the agent belongs to the scenario: its registry entries and its foreground tasks count. */
  protected measure(agent: MeasuredAgent): void {
    this.#deployed.push(agent)
  }

  /** @throws CannotMeasureError for an agent with the name of another: what is left of one would pass for the other's */
  protected refuseSecond({ id }: Pick<MeasuredAgent, 'id'>): void {
    if (this.#deployed.some(other => other.id === id))
      throw new CannotMeasureError(
        `The system named two agents ${id}, and what is left of them could not be told apart: let the result of deploy name an id for each.`,
      )
  }

  /** How many agents were deployed. */
  get deployedCount(): number {
    return this.#deployed.length
  }

  /** The deployed agents of which no process and no session is left, each by its names. */
  async goneAgents(): Promise<string[][]> {
    const { resources } = await this.snapshot()
    const lives = new Set(
      resources.flatMap(one =>
        one.kind === 'session' || (one.kind === 'process' && one.state !== 'Z')
          ? (one.owner?.agent ?? [])
          : [],
      ),
    )
    return this.#deployed.filter(({ id }) => !lives.has(id)).map(namesOf)
  }

  /** The failures that agents got for an answer when they reported their completion, in sentences. */
  async failedReports(): Promise<string[]> {
    const found = this.#deployed.map(async agent =>
      (await agent.failedReports()).map(
        why => `completes.inside failed in agent ${agent.id}, so that nobody knows that it completed: ${why}`,
      ),
    )
    return (await Promise.all(found)).flat()
  }

  /** The snapshot that everything is compared with: taken once, before the first agent, for all callers. */
  baseline(): Promise<Snapshot> {
    this.#baseline ??= this.timeline.during('baseline', async () => {
      const stable = await stableBaseline(() => this.snapshot())
      this.timeline.markBaseline(stable.resources)
      return stable
    })
    return this.#baseline
  }

  /**
   * Adds to the baseline whatever is there now and belongs to no agent, or to this owner. Before the first deploy there
   * is nothing to do, because the baseline is not taken yet.
   * @param joins which of the resources without an owner are added
   * @throws after the first ending, because leftovers of the ended agent would pass for innocent resources
   */
  async widenBaseline(
    owner?: Pick<MeasuredAgent, 'id'>,
    joins: (one: Resource) => boolean = () => true,
  ): Promise<void> {
    if (this.#endedAt)
      throw new Error(
        'An agent has ended already: let agents stay, and plant bystanders, before the first ending.',
      )
    if (!this.#baseline) return
    const stays = (one: Resource) =>
      !isIdleShellTimer(one) &&
      (one.owner ? one.owner.agent === owner?.id : this.#mayJoin(one, owner) && joins(one))
    const now = await this.waitUntilStable(stays)
    const staying = now.resources.filter(stays)
    const before = (await this.#baseline).resources
    const ids = new Set(before.map(({ id }) => id))
    const added = staying.filter(({ id }) => !ids.has(id))
    const stayingAgents = this.#deployed.filter(({ id }) => id === owner?.id).length
    this.timeline.markBaseline(added)
    const held = before.map(one => this.#withDescriptors(one, now, stayingAgents))
    this.#baseline = Promise.resolve({ ...now, resources: [...held, ...added] })
  }

  /** A system may hold descriptors for an agent that stays, such as the pipes of its claude: as many as for every agent. */
  #withDescriptors(before: Resource, { resources }: Snapshot, stayingAgents: number): Resource {
    const now = resources.find(({ id }) => id === before.id)
    if (before.kind !== 'process' || now?.kind !== 'process' || !this.#ownProcesses.has(now.id)) return before
    const forEach = Math.max(0, now.descriptors - before.descriptors) / Math.max(1, this.#deployed.length)
    return { ...before, descriptors: before.descriptors + Math.floor(forEach * stayingAgents) }
  }

  /**
   * Notes what appeared while the system deployed an agent and bears no trace of it, such as a helper that a daemon of the
   * system starts for each agent. Nothing else may have been started meanwhile. It must be gone after the agent's end, so it
   * joins the baseline only with the agent. A tmux server stays for whoever has a session on it.
   */
  async noteStartedWith({ id }: Pick<MeasuredAgent, 'id'>): Promise<void> {
    const { resources } = await this.snapshot()
    const known = new Set((await this.baseline()).resources.map(one => one.id))
    const servers = new Set(
      resources.flatMap(one => (one.kind === 'server' ? [one.pid, `unix ${one.socket}`] : [])),
    )
    for (const one of resources) {
      if (one.owner || known.has(one.id) || this.#startedWith.has(one.id)) continue
      if (one.kind === 'process' && !servers.has(one.pid)) this.#startedWith.set(one.id, id)
      if (one.kind === 'socket' && !servers.has(one.address)) this.#startedWith.set(one.id, id)
    }
  }

  #mayJoin({ id }: Resource, owner: Pick<MeasuredAgent, 'id'> | undefined): boolean {
    const agent = this.#startedWith.get(id)
    return agent === undefined || agent === owner?.id
  }

  /**
   * Waits until no resource comes or goes: a claude that has just become idle still has a child or two that are
   * ending.
   * @param which the resources that count; an agent that forks all the time is never stable
   */
  waitUntilStable(which: (one: Resource) => boolean = () => true): Promise<Snapshot> {
    return stableBaseline(async () => {
      const snapshot = await this.snapshot()
      return { ...snapshot, resources: snapshot.resources.filter(which) }
    }, 450)
  }

  /**
   * Records that an agent's ending begins now: the time to the baseline counts from the last call.
   * @param how how it ends, for the time line
   */
  markEnding(how: string, agent?: string): void {
    this.timeline.mark(how, agent)
    this.#endedAt = performance.now()
  }

  /**
   * Waits for the baseline, or until it is clear that the sandbox will not return to it, and keeps the verdict.
   * @throws CannotMeasureError when the sandbox could not be read
   */
  async settle(timing: SettleTiming = defaultTiming, expected?: Expected): Promise<Verdict> {
    const baseline = expected?.baseline ?? (await this.baseline())
    const facts = { ...(await this.#facts()), ...(expected && { mayBeNew: expected.mayBeNew }) }
    const { snapshot, ...settled } = await this.#settled(baseline, facts, timing)
    const counts = {
      baseline: count(baseline.resources),
      peak: this.timeline.peak,
      settled: count(snapshot.resources),
    }
    const verdict: Verdict = { ...settled, counts }
    verdict.notes.push(...this.#ignoreList.notes(this.lastSnapshot?.resources ?? []))
    this.verdicts.push(verdict)
    this.#addStanding(verdict)
    return verdict
  }

  /**
   * Waits as `settle` does, for one round of many, and keeps no verdict.
   * @param known what earlier rounds have left, by its identity: nobody waits for its end again
   * @throws CannotMeasureError when the sandbox could not be read
   */
  async settleRound(known: ReadonlySet<string>, timing: SettleTiming = defaultTiming): Promise<SettledRound> {
    const facts = { ...(await this.#facts()), mayBeNew: ({ id }: Resource) => known.has(id) }
    const { snapshot, leaks, collateral } = await this.#settled(await this.baseline(), facts, timing)
    const isKept = keptFiles(facts)
    const [kept, left] = [true, false].map(wanted =>
      snapshot.resources.filter(one => isKept(one) === wanted && !facts.isIgnored?.(one)),
    ) as [Resource[], Resource[]]
    return { kept, left, leaks, collateral: [...collateral, ...this.#standing] }
  }

  #settled(baseline: Snapshot, facts: ScenarioFacts, timing: SettleTiming): Promise<Settled> {
    if (this.#deployed.length === 0)
      throw new CannotMeasureError('Nothing was deployed, so nothing was measured.')
    const instruments = { snapshot: () => this.snapshot(), countByPs: () => this.probe.countByPs() }
    return this.timeline.during('settle', () =>
      settle(instruments, this.#ignoreList.without(baseline), facts, timing),
    )
  }

  /** Something that is wrong whatever happens afterwards: it is part of every verdict from now on. */
  addCollateral(finding: Finding): void {
    if (!this.#standing.some(({ id }) => id === finding.id)) this.#standing.push(finding)
  }

  #addStanding(verdict: Verdict): void {
    if (this.#standing.length === 0) return
    verdict.collateral.push(...this.#standing)
    verdict.result = 'collateral'
    delete verdict.msToBaseline
  }

  /** Adds to the last verdict what no snapshot shows. */
  addLeaks(leaks: Finding[]): void {
    const last = this.verdicts.at(-1)
    if (!last || leaks.length === 0) return
    const known = new Set(last.leaks.map(({ id }) => id))
    last.leaks.push(...leaks.filter(({ id }) => !known.has(id)))
    if (last.result === 'pass') last.result = 'leak'
    delete last.msToBaseline
  }

  /** Whether an ending has begun. */
  get hasEnding(): boolean {
    return this.#endedAt !== undefined
  }

  /** How long ago the last ending began, ms. */
  get msSinceEnding(): number {
    return this.#endedAt === undefined ? 0 : Math.round(performance.now() - this.#endedAt)
  }

  async #facts(): Promise<ScenarioFacts> {
    const tasks = await Promise.all(this.#deployed.map(agent => agent.foregroundTasks()))
    return {
      foregroundTasks: new Set(tasks.flat()),
      agents: this.#deployed.map(({ id }) => id),
      endedAt: this.#endedAt ?? performance.now(),
      keeps: this.#keeps,
      system: this.#ownProcesses,
      isIgnored: one => this.#ignoreList.covers(one),
    }
  }

  /** Leaves out of the verdict every resource that matches now, or matched in the baseline; see `IgnoreList`. */
  async ignore(why: string, which: (one: Resource) => boolean): Promise<void> {
    const { resources } = await this.snapshot()
    this.#ignoreList.add(why, [...(await this.baseline()).resources, ...resources].filter(which))
  }

  /** How the sandbox differs from the baseline at this moment, without waiting for anything. */
  async difference(): Promise<Difference> {
    const baseline = this.#ignoreList.without(await this.baseline())
    return compare(baseline, await this.snapshot(), await this.#facts())
  }

  /** Whether the system itself started this process, before its first agent. */
  isOwnProcess(one: Resource): boolean {
    return this.#ownProcesses.has(one.id)
  }
}

/**
 * `nudge_once` in fake-claude/idle/idle.sh: an idle fake claude has this child for a moment, and on a busy machine for longer
 * than a baseline takes.
 */
function isIdleShellTimer(one: Resource): boolean {
  return one.kind === 'process' && one.command === 'sleep 0.3'
}
