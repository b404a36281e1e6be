import { readFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'

/** On a machine that has no processor to spare, a limit takes at most this many times as long by default. */
export const usualLongest = 10

/** What a limit reads: the time, and how much of it processes waited for a processor. Both in ms, from any start. */
export interface Machine {
  nowMs(): number
  waitedMs(): number
}

/**
 * A time limit, in ms of a machine that has a processor to spare. While processes wait for a processor, time counts for
 * a tenth: a busy machine is not mistaken for a broken system, and a broken system is still found.
 */
export class Limit {
  readonly #machine: Machine
  readonly #longest: number
  readonly #startedMs: number
  #atMs: number
  #waitedMs: number
  #leftMs: number

  /** `longest`: how many times as long the limit takes when no processor is ever to spare. */
  constructor(ms: number, machine: Machine = thisMachine, longest = usualLongest) {
    this.#longest = longest
    this.#machine = machine
    this.#leftMs = ms
    this.#startedMs = machine.nowMs()
    this.#atMs = this.#startedMs
    this.#waitedMs = machine.waitedMs()
  }

  /** True when no time is left. Read it about once a second at least: only changes between two readings count. */
  get isOver(): boolean {
    const [now, waited] = [this.#machine.nowMs(), this.#machine.waitedMs()]
    const passed = now - this.#atMs
    const busy = Math.min(passed, Math.max(0, waited - this.#waitedMs))
    this.#leftMs -= passed - busy + busy / this.#longest
    this.#atMs = now
    this.#waitedMs = waited
    return this.#leftMs <= 0
  }

  /** How long the limit has run, for a message: `10.2 s`. */
  get elapsed(): string {
    return `${((this.#machine.nowMs() - this.#startedMs) / 1000).toFixed(1)} s`
  }

  /** Runs a task whose signal aborts when the limit is over. */
  async during<T>(task: (tooLate: AbortSignal) => Promise<T>): Promise<T> {
    const tooLate = new AbortController()
    const timer = setInterval(() => this.isOver && tooLate.abort(), Math.min(500, this.#leftMs))
    try {
      return await task(tooLate.signal)
    } finally {
      clearInterval(timer)
    }
  }
}

/** By the monotonic clock, and by how long any process of this machine waited for a processor. */
const thisMachine: Machine = {
  nowMs: () => performance.now(),
  waitedMs: () => pressureMs() ?? loadMs(),
}

/** "some" of /proc/pressure/cpu (µs) plus the time that a hypervisor took (proc_stat(5)), in ms; undefined without PSI. */
function pressureMs(): number | undefined {
  try {
    const total = /^some .* total=(\d+)/m.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1]
    const steal = Number(readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/)[8] ?? 0)
    return total === undefined ? undefined : Number(total) / 1000 + (steal * 10) / availableParallelism()
  } catch {
    return undefined
  }
}

let load = { atMs: performance.now(), waitedMs: 0 }

/** An estimate from the load average, in ms: when four tasks want two processors, half of them wait. */
function loadMs(): number {
  const now = performance.now()
  const share = Math.max(0, 1 - availableParallelism() / Math.max(loadavg()[0] ?? 0, 0.01))
  load = { atMs: now, waitedMs: load.waitedMs + (now - load.atMs) * share }
  return load.waitedMs
}
