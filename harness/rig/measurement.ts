import type { ProbeApi } from '../probe/api.ts'
import { CannotMeasureError } from '../sandbox/sandbox.ts'
import type { Resource, Snapshot } from '../snapshot/snapshot.ts'
import { compare, type Difference } from '../verdict/compare.ts'
import type { Known } from '../verdict/scenario-facts.ts'
import { defaultPatience, type Patience, settle } from '../verdict/settle.ts'
import { stableBaseline } from '../verdict/stable-baseline.ts'
import type { Verdict } from '../verdict/verdict.ts'
import type { Agent } from './agent.ts'
import { Excuses } from './ignore-list.ts'
import { Lookout } from './snapshot-single-flight.ts'

/** What has to be there at a settling, where agents live on or bystanders came after the first ending. */
export interface Expected {
  baseline: Snapshot
  /** True for what may be there as well. */
  mayBeNew(one: Resource): boolean
}

/**
 * What was there before the first agent, what has to be there now, and whether it is: the baseline, what joins it, and
 * what is excused. It drives nothing.
 */
export class Measurement {
  readonly probe: ProbeApi
  readonly verdicts: Verdict[] = []
  /** Every agent that was deployed. */
  protected readonly known: Agent[] = []
  /** Identities of the processes that the system started before its first agent. */
  #ownProcesses = new Set<string>()
  readonly #excuses = new Excuses()
  #baseline: Promise<Snapshot> | undefined
  readonly #lookout: Lookout
  #endedAt: number | undefined

  constructor(probe: ProbeApi) {
    this.probe = probe
    this.#lookout = new Lookout(() => probe.snapshot())
  }

  /** A snapshot of the sandbox; ten who ask at once share one. */
  look(): Promise<Snapshot> {
    return this.#lookout.look()
  }

  /** The last that was seen: it is on this side, also when the sandbox is gone. */
  get lastSnapshot(): Snapshot | undefined {
    return this.#lookout.last
  }

  /** What runs now is the system's own; later an agent's processes would be among it. */
  protected async noteOwnProcesses(): Promise<void> {
    if (this.#baseline) return
    const { resources } = await this.look()
    this.#ownProcesses = new Set(resources.flatMap(one => (one.kind === 'process' ? one.id : [])))
  }

  /** The snapshot that everything is compared with: taken once, before the first agent, however many ask at once. */
  baseline(): Promise<Snapshot> {
    this.#baseline ??= stableBaseline(() => this.look())
    return this.#baseline
  }

  /**
   * From now on whatever is there and belongs to no agent, or to this one, has to be there afterwards. Nothing
   * to do before the first deploy: the baseline is not taken yet. `joins`: what of nobody's it is about.
   * @throws after the first ending, when what it left behind would pass for something innocent.
   */
  async widenBaseline(agent?: Agent, joins: (one: Resource) => boolean = () => true): Promise<void> {
    if (this.#endedAt)
      throw new Error(
        'An agent has ended already: let agents stay, and plant bystanders, before the first ending.',
      )
    if (!this.#baseline) return
    const stays = (one: Resource) => !isNudge(one) && (one.owner ? one.owner.agent === agent?.id : joins(one))
    const now = await this.comesToRest(stays)
    const staying = now.resources.filter(stays)
    const before = (await this.#baseline).resources.filter(({ kind }) => kind !== 'registry')
    const known = new Set(before.map(({ id }) => id))
    const added = staying.filter(({ id }) => !known.has(id))
    this.#baseline = Promise.resolve({ ...now, resources: [...before, ...added] })
  }

  /**
   * A claude that has just come to rest still has a child or two on their way out. `which`: what has to come
   * to rest; an agent that forks all the time never does.
   */
  comesToRest(which: (one: Resource) => boolean = () => true): Promise<Snapshot> {
    return stableBaseline(async () => {
      const snapshot = await this.look()
      return { ...snapshot, resources: snapshot.resources.filter(which) }
    }, 450)
  }

  /** An ending begins now: the time to the baseline counts from the last one. */
  ending(): void {
    this.#endedAt = performance.now()
  }

  /**
   * Waits for the baseline, or until it is clear that it will not come, and keeps the verdict.
   * @throws CannotMeasureError when the sandbox could not be read.
   */
  async settle(patience: Patience = defaultPatience, expected?: Expected): Promise<Verdict> {
    if (this.known.length === 0)
      throw new CannotMeasureError('Nothing was deployed, so nothing was measured.')
    const instruments = { look: () => this.look(), countByPs: () => this.probe.countByPs() }
    const baseline = expected?.baseline ?? (await this.baseline())
    const known = { ...(await this.#known()), ...(expected && { mayBeNew: expected.mayBeNew }) }
    const verdict = await settle(instruments, this.#excuses.without(baseline), known, patience)
    verdict.notes.push(...this.#excuses.notes(this.lastSnapshot?.resources ?? []))
    this.verdicts.push(verdict)
    return verdict
  }

  async #known(): Promise<Known> {
    const tasks = await Promise.all(this.known.map(agent => agent.foregroundTasks()))
    return {
      foregroundTasks: new Set(tasks.flat()),
      agents: this.known.map(({ id }) => id),
      endedAt: this.#endedAt ?? performance.now(),
      system: this.#ownProcesses,
      excused: one => this.#excuses.covers(one),
    }
  }

  /** Leaves out of the verdict what is this now, or was so at the baseline; see `Excuses`. */
  async excuse(why: string, which: (one: Resource) => boolean): Promise<void> {
    const { resources } = await this.look()
    this.#excuses.add(why, [...(await this.baseline()).resources, ...resources].filter(which))
  }

  /** What is not as it was in the baseline at this moment, whatever becomes of it. */
  async difference(): Promise<Difference> {
    const baseline = this.#excuses.without(await this.baseline())
    return compare(baseline, await this.look(), await this.#known())
  }

  /** The processes that the system itself started, before its first agent. */
  isOwnProcess(one: Resource): boolean {
    return this.#ownProcesses.has(one.id)
  }

  get agents(): readonly Agent[] {
    return this.known
  }
}

/** A fake claude at rest has it as a child for a moment (fake-claude/README.md): on a busy machine, for longer than we look. */
function isNudge(one: Resource): boolean {
  return one.kind === 'process' && one.command === 'sleep 0.3'
}
