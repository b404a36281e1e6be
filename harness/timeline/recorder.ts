import type { ProcessResource, Resource, Snapshot } from '../snapshot/snapshot.ts'
import { what } from '../snapshot/what.ts'
import { type Counts, count, highest } from './counts.ts'
import type { Progress } from './progress.ts'
import { signalsIn } from './signals.ts'
import type { Life, ProcessLife, Sample, Signal, Step, Timeline } from './timeline.ts'

/** A change of memory below this is not worth a sample, bytes. */
const memoryStep = 1_000_000

/** Keeps what the snapshots of one scenario show, and its steps. */
export class TimelineRecorder {
  readonly #startedAt = Date.now()
  readonly #zero = performance.now()
  readonly #steps: Step[] = []
  /** Those that are not over. */
  readonly #during: Step[] = []
  readonly #samples: Sample[] = []
  readonly #lives = new Map<string, Life>()
  /** The lives that the last snapshot showed. */
  #living = new Map<string, Life>()
  #last = 0
  #peak: Counts | undefined
  /** Undefined until it was taken. */
  #baseline: Resource[] | undefined
  #signals: Signal[] = []
  /** Called when a step begins or ends, and when a snapshot shows other counts. */
  onProgress: () => void = () => {}

  /** The highest counts since the beginning. */
  get peak(): Counts {
    return this.#peak ?? count([])
  }

  /** Notes what a snapshot shows. They come one after another. */
  add({ at, resources }: Snapshot): void {
    const now = this.#since(at)
    const counts = count(resources)
    this.#peak = this.#peak ? highest(this.#peak, counts) : counts
    const before = this.#samples.at(-1)
    const isNew = !before || !isSame(before.counts, counts)
    if (isNew) this.#samples.push({ at: now, counts })
    const living = new Map<string, Life>()
    for (const one of resources) if (one.kind !== 'registry') living.set(one.id, this.#seen(one, now))
    for (const [id, life] of this.#living) if (!living.has(id)) life.to = now
    this.#living = living
    this.#last = now
    if (isNew) this.onProgress()
  }

  /** Says which resources are of the baseline. */
  markBaseline(resources: readonly Resource[]): void {
    this.#baseline = [...(this.#baseline ?? []), ...resources]
    for (const { id } of resources) {
      const life = this.#lives.get(id)
      if (life) life.isBaseline = true
    }
  }

  /** Notes something that the scenario does at this moment. */
  mark(step: string, agent?: string): void {
    this.#begin(step, agent)
  }

  /** Notes something that the scenario does, and how long it takes. */
  async during<Result>(step: string, does: () => Promise<Result>, agent?: string): Promise<Result> {
    const noted = this.#begin(step, agent)
    this.#during.push(noted)
    try {
      return await does()
    } finally {
      noted.ms = this.#now() - noted.at
      this.#during.splice(this.#during.indexOf(noted), 1)
      this.onProgress()
    }
  }

  /** Notes the signals that a log of the system names. It is not ours, so it may say anything. */
  addSignals(log: string): void {
    this.#signals = signalsIn(log, this.#startedAt, this.#now())
  }

  /** What is done at this moment, and the last counts. */
  get progress(): Progress {
    const { what: step, agent } = this.#current ?? { what: 'begins' }
    const now = this.#samples.at(-1)?.counts
    return {
      step,
      ...(agent !== undefined && { agent }),
      ...(this.#baseline && { baseline: count(this.#baseline) }),
      ...(now && { now }),
    }
  }

  /** For how long that has been done, ms. */
  get stepMs(): number {
    return this.#now() - (this.#current?.at ?? 0)
  }

  get #current(): Step | undefined {
    return this.#during.at(-1) ?? this.#steps.at(-1)
  }

  /** All of it, until now. */
  get timeline(): Timeline {
    const endedAt = this.#last
    const lives = [...this.#lives.values()]
    const signals = this.#signals.filter(({ at }) => at <= endedAt)
    return {
      ...{ startedAt: this.#startedAt, endedAt, steps: this.#steps, samples: this.#samples, lives },
      ...(signals.length > 0 && { signals }),
    }
  }

  #begin(what: string, agent: string | undefined): Step {
    const step: Step = { what, ...(agent !== undefined && { agent }), at: this.#now() }
    this.#steps.push(step)
    this.onProgress()
    return step
  }

  #seen(one: Resource, at: number): Life {
    const life = this.#lives.get(one.id) ?? begun(one, at)
    this.#lives.set(one.id, life)
    // One snapshot in between may have missed it.
    delete life.to
    if (one.owner && life.agent === undefined) {
      life.agent = one.owner.agent
      life.evidence = one.owner.evidence
    }
    if (one.kind === 'process' && life.process) noteChanges(life.process, one, at)
    // A program that a process has become, or its size at the end.
    life.what = what(one)
    return life
  }

  #now(): number {
    return this.#since(performance.now())
  }

  #since(clock: number): number {
    return Math.max(0, Math.round(clock - this.#zero))
  }
}

function begun(one: Resource, at: number): Life {
  const life = { id: one.id, kind: one.kind, what: what(one), from: at }
  return one.kind === 'process' ? { ...life, process: { pid: one.pid, ppid: one.ppid } } : life
}

function noteChanges(life: ProcessLife, { ppid, state }: ProcessResource, at: number): void {
  if (ppid !== (life.parents?.at(-1)?.ppid ?? life.ppid)) {
    life.parents ??= []
    life.parents.push({ at, ppid })
  }
  const coarse = state === 'T' || state === 'Z' ? state : 'runs'
  if (coarse !== (life.states?.at(-1)?.state ?? 'runs')) {
    life.states ??= []
    life.states.push({ at, state: coarse })
  }
}

function isSame({ memory, ...one }: Counts, { memory: other, ...two }: Counts): boolean {
  return Math.abs(memory - other) < memoryStep && JSON.stringify(one) === JSON.stringify(two)
}
