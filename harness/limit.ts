import { readFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'

/** On a machine that has no processor to spare, a limit takes this many times as long, and never more, where nothing else is said. */
const usualLongest = 10

/** What a limit reads: the time, and for how much of it processes had to wait for a processor; both in ms, from any start. */
export interface Machine {
  nowMs(): number
  waitedMs(): number
}

/**
 * How long is long enough to wait for something: so many ms of a machine that has a processor to spare. While
 * processes wait for a processor, time counts for a tenth: a busy machine does not read as a broken system, and what
 * is broken is still found out.
 */
export class Limit {
  readonly #machine: Machine
  readonly #longest: number
  readonly #startedMs: number
  #atMs: number
  #waitedMs: number
  #leftMs: number

  /** `longest`: how many times as long it takes where a processor is never to spare. */
  constructor(ms: number, machine: Machine = thisMachine, longest = usualLongest) {
    this.#longest = longest
    this.#machine = machine
    this.#leftMs = ms
    this.#startedMs = machine.nowMs()
    this.#atMs = this.#startedMs
    this.#waitedMs = machine.waitedMs()
  }

  /** Nothing is left of it; asked at least once a second or so, because only changes between two questions count. */
  get isOver(): boolean {
    const [now, waited] = [this.#machine.nowMs(), this.#machine.waitedMs()]
    const passed = now - this.#atMs
    const busy = Math.min(passed, Math.max(0, waited - this.#waitedMs))
    this.#leftMs -= passed - busy + busy / this.#longest
    this.#atMs = now
    this.#waitedMs = waited
    return this.#leftMs <= 0
  }

  /** How long it has run, for a sentence: `10.2 s`. */
  get elapsed(): string {
    return `${((this.#machine.nowMs() - this.#startedMs) / 1000).toFixed(1)} s`
  }

  /** Runs a task; its signal aborts when the limit is over. */
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

/** By a clock that nobody sets, and for as long as a process of this machine waited for a processor. */
const thisMachine: Machine = {
  nowMs: () => performance.now(),
  waitedMs: () => pressureMs() ?? loadMs(),
}

/** "some" of /proc/pressure/cpu, in µs, with what a hypervisor took (proc_stat(5)); undefined where the kernel has none. */
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

/** The same from the load average, where there is no better: with four who want two processors, half of them wait. */
function loadMs(): number {
  const now = performance.now()
  const share = Math.max(0, 1 - availableParallelism() / Math.max(loadavg()[0] ?? 0, 0.01))
  load = { atMs: now, waitedMs: load.waitedMs + (now - load.atMs) * share }
  return load.waitedMs
}
