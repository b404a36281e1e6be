import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { startOf } from '../platform/processes/table.ts'
import { type ServiceManager, serviceManager } from '../platform/service-notify.ts'
import { singleFlight } from '../platform/single-flight.ts'
import type { CleanUpReport } from '../reaper/report.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { peekAgent } from '../registry/registry.ts'
import { type CountedOutcome, Counters } from './counters.ts'
import { exposition } from './exposition.ts'
import { daemonFamilies, machineFamilies } from './families.ts'
import { type Health, removeHealth, writeHealth } from './health.ts'
import { measure } from './measure.ts'
import { type MetricsAddress, serveMetrics } from './serve.ts'
import { type MetricsSettings, validateMetricsSettings } from './settings.ts'
import { writeTextfile } from './textfile.ts'
import { readToken } from './token.ts'

export interface MonitorOptions extends MetricsSettings {
  /** Absolute paths of the workspaces that the daemon holds. */
  workspaces: readonly string[]
  log?: Log
}

/** How often the health files and the watchdog get a heartbeat, in ms. */
const HEARTBEAT_MS = 10_000
/** How often the textfile is written, in ms. With 100 agents a look costs about 150 ms of a core. */
const TEXTFILE_MS = 60_000
/** Scrapes that come closer together than this share one look at the machine, in ms. */
const SCRAPE_REST_MS = 1_000

/** How many reasons are given: a thousand agents may have one each, and the file is to stay small. */
const MOST_REASONS = 20

/**
 * Everything by which a daemon is watched: metrics, health files, the service manager's watchdog. The daemon calls
 * `round` from its loop, `cleaned` or `failed` after each cleanup, and `degraded` when something begins or ceases to
 * be wrong. Heartbeats come from `round` and from no timer: a loop that is stuck must not look alive.
 * Nothing here throws once it has started; what fails (a full disk) is logged, once, and makes it degraded.
 */
export class Monitor implements AsyncDisposable {
  readonly #options: MonitorOptions
  readonly #counters = new Counters()
  readonly #reasons = new Map<string, string>()
  readonly #manager: ServiceManager = serviceManager()
  readonly #render = singleFlight(() => this.#text(), SCRAPE_REST_MS)
  #servers = new AsyncDisposableStack()
  #url: string | undefined
  #heartbeatAt = Number.NEGATIVE_INFINITY
  #textfileAt = Number.NEGATIVE_INFINITY
  #writing: Promise<void> | undefined
  #saidState = ''

  private constructor(options: MonitorOptions) {
    this.#options = options
  }

  /** Throws a CleanupError (`bad-argument`) for a port, a socket or a file that is not to be had. */
  static async start(options: MonitorOptions): Promise<Monitor> {
    const { port, tokenFile, socket } = options
    validateMetricsSettings(options)
    const token = tokenFile === undefined ? undefined : readToken(tokenFile, process.geteuid?.())
    const monitor = new Monitor(options)
    await using servers = new AsyncDisposableStack()
    const serve = async (address: MetricsAddress) => {
      const { at } = servers.use(await serveMetrics(address, monitor.#render))
      options.log?.({ event: 'metrics', ...at })
      if ('url' in at) monitor.#url = at.url
    }
    if (port !== undefined) await serve({ port, token })
    if (socket !== undefined) await serve({ socket })
    monitor.#servers = servers.move()
    return monitor
  }

  /** Where the metrics are served; undefined without a port. */
  get url(): string | undefined {
    return this.#url
  }

  /** To be called with every round, with how many cleanups are pending. Costs nothing when nothing is due. */
  round(pending: number): void {
    this.#counters.lastRoundMs = Date.now()
    const now = performance.now()
    const reasons = reasonsIn(this.#reasons)
    const state = JSON.stringify(reasons)
    // A change of state is said at once: who reads the file should not learn of trouble ten seconds late.
    if (now - this.#heartbeatAt >= HEARTBEAT_MS || state !== this.#saidState) {
      this.#heartbeatAt = now
      this.#saidState = state
      this.#heartbeat(pending, reasons)
    }
    if (this.#options.file !== undefined && now - this.#textfileAt >= TEXTFILE_MS && !this.#writing) {
      this.#textfileAt = now
      this.#writing = this.#writeFile(this.#options.file).finally(() => {
        this.#writing = undefined
      })
    }
  }

  /** To be called with the report of each cleanup. */
  cleaned({ agent, outcome }: CleanUpReport): void {
    this.#count(outcome, () => peekAgent(agent))
  }

  /** To be called for each cleanup that threw instead of reporting. */
  failed(): void {
    this.#count('failed')
  }

  /** Most agents of a workspace died at once. */
  massDeath(): void {
    this.#counters.massDeaths += 1
  }

  /** Says that something is wrong, in a sentence, or with undefined that it no longer is. `what` names the thing. */
  degraded(what: string, why: string | undefined): void {
    if (why === undefined) this.#reasons.delete(what)
    else this.#reasons.set(what, why)
  }

  /** Stops serving, and removes the health files: what is left of them tells of a daemon that was killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#manager.stopping()
    await this.#servers.disposeAsync()
    for (const workspace of this.#options.workspaces) this.#attempt('health', () => removeHealth(workspace))
  }

  #count(outcome: CountedOutcome, read?: () => AgentEntry): void {
    let entry: AgentEntry | undefined
    try {
      entry = read?.()
    } catch {
      // The workspace went with the agent: it counts, without a time.
    }
    this.#counters.count(outcome, entry)
  }

  #heartbeat(pending: number, reasons: string[]): void {
    const { workspaces } = this.#options
    const health: Health = {
      pid: process.pid,
      start: startOf(process.pid) ?? 0,
      started_at: new Date(this.#counters.startedAtMs).toISOString(),
      heartbeat_at: new Date().toISOString(),
      state: reasons.length > 0 ? 'degraded' : 'ok',
      reasons,
      workspaces: [...workspaces],
      pending,
    }
    for (const workspace of workspaces)
      this.#attempt(`health ${workspace}`, () => writeHealth(workspace, health))
    this.#manager.alive(health.state === 'ok' ? `${pending} pending` : health.reasons.join(' '))
  }

  async #writeFile(file: string): Promise<void> {
    try {
      const text = await this.#render()
      this.#attempt('textfile', () => writeTextfile(file, text))
    } catch (error) {
      this.#wrong('textfile', error)
    }
  }

  #attempt(what: string, write: () => void): void {
    try {
      write()
      this.degraded(what, undefined)
    } catch (error) {
      this.#wrong(what, error)
    }
  }

  #wrong(what: string, error: unknown): void {
    const why = `The ${what.split(' ')[0]} file could not be written: ${messageOf(error)}.`
    if (this.#reasons.get(what) !== why) this.#options.log?.({ event: 'problem', problem: why })
    this.degraded(what, why)
  }

  async #text(): Promise<string> {
    const found = await measure(this.#options.workspaces)
    return exposition([...machineFamilies(found), ...daemonFamilies(this.#counters)])
  }
}

/** Each once, whoever has it: a hundred agents on one tmux server that hangs have the same. */
function reasonsIn(known: ReadonlyMap<string, string>): string[] {
  const reasons = [...new Set(known.values())]
  const more = reasons.length - MOST_REASONS
  return more > 0 ? [...reasons.slice(0, MOST_REASONS), `And ${more} more, which the log names.`] : reasons
}
