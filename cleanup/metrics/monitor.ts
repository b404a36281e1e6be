import { attempt, attemptAsync, withoutStop } from '../errors.ts'
import type { Log } from '../log.ts'
import { AsyncHeld } from '../platform/held.ts'
import { startOf } from '../platform/processes/table.ts'
import { type ServiceManager, serviceManager } from '../platform/service-notify.ts'
import { singleFlight } from '../platform/single-flight.ts'
import type { CleanUpReport } from '../reaper/report.ts'
import { peekAgent } from '../registry/registry.ts'
import { thisWorld } from '../registry/world.ts'
import { Counters } from './counters.ts'
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
/** How often the textfile is written, in ms. A measurement of 100 agents takes about 150 ms of a core. */
const TEXTFILE_MS = 60_000
/** Scrapes within this time of each other share one measurement, in ms. */
const SCRAPE_SHARE_MS = 1_000

/** Keeps the health file small when each of a thousand agents has a reason. */
const MAX_REASONS = 20

/**
 * Reports on a daemon: by metrics, by health files, and to the service manager's watchdog. The daemon calls `check` from
 * its loop, `cleaned` or `failed` after each cleanup, and `degraded` when a fault begins or ends. Only `check` sends
 * heartbeats; with a timer a daemon whose loop is stuck would look alive. After the start nothing here throws: a failure
 * (a full disk) is logged once, and makes the daemon degraded.
 */
export class Monitor implements AsyncDisposable {
  readonly #options: MonitorOptions
  readonly #counters = new Counters()
  readonly #reasons = new Map<string, string>()
  readonly #manager: ServiceManager = serviceManager()
  readonly #render = singleFlight(() => this.#metrics(), SCRAPE_SHARE_MS)
  #servers = new AsyncHeld()
  #url: string | undefined
  #heartbeatAt = Number.NEGATIVE_INFINITY
  #textfileAt = Number.NEGATIVE_INFINITY
  #writing: Promise<void> | undefined
  #reportedReasons = ''

  private constructor(options: MonitorOptions) {
    this.#options = options
  }

  /** Throws a CleanupError (`bad-argument`) for a port, socket, token or file that cannot be used. */
  static async start(options: MonitorOptions): Promise<Monitor> {
    const { port, tokenFile, socket } = options
    validateMetricsSettings(options)
    const token = tokenFile === undefined ? undefined : readToken(tokenFile, process.geteuid?.())
    const monitor = new Monitor(options)
    await using servers = new AsyncHeld()
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

  /** To be called at every check, with the number of pending cleanups. Costs nothing when nothing is due. */
  check(pending: number): void {
    this.#counters.lastCheckMs = Date.now()
    const now = performance.now()
    const reasons = reasonsIn(this.#reasons)
    const text = JSON.stringify(reasons)
    // A change is written at once, so that a reader need not wait ten seconds for it.
    if (now - this.#heartbeatAt >= HEARTBEAT_MS || text !== this.#reportedReasons) {
      this.#heartbeatAt = now
      this.#reportedReasons = text
      this.#heartbeat(pending, reasons)
    }
    if (this.#options.file !== undefined && now - this.#textfileAt >= TEXTFILE_MS && !this.#writing) {
      this.#textfileAt = now
      this.#writing = this.#writeTextfile(this.#options.file).finally(() => {
        this.#writing = undefined
      })
    }
  }

  /** Counts a cleanup that reported. */
  cleaned({ agent, outcome }: CleanUpReport): void {
    // The workspace may have been removed with the agent; the cleanup then counts without a time.
    const entry = attempt(
      () => peekAgent(agent),
      () => {},
    )
    this.#counters.count(outcome, entry)
  }

  /** Counts a cleanup that threw. */
  failed(): void {
    this.#counters.count('failed')
  }

  /** Counts an event in which most agents of a workspace died at once. */
  massDeath(): void {
    this.#counters.massDeaths += 1
  }

  /** Sets the reason, a sentence, why something is wrong, or with undefined clears it. `what` identifies the thing. */
  degraded(what: string, why: string | undefined): void {
    if (why === undefined) this.#reasons.delete(what)
    else this.#reasons.set(what, why)
  }

  /** Stops serving, and removes the health files: one that stays proves that its daemon was killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#manager.stopping()
    await this.#servers[Symbol.asyncDispose]()
    for (const workspace of this.#options.workspaces) this.#write('health', () => removeHealth(workspace))
  }

  #heartbeat(pending: number, reasons: string[]): void {
    const { workspaces } = this.#options
    const runs_on = thisWorld()
    const health: Health = {
      pid: process.pid,
      start: startOf(process.pid) ?? 0,
      ...(runs_on && { runs_on }),
      started_at: new Date(this.#counters.startedAtMs).toISOString(),
      heartbeat_at: new Date().toISOString(),
      state: reasons.length > 0 ? 'degraded' : 'ok',
      reasons,
      workspaces: [...workspaces],
      pending,
    }
    for (const workspace of workspaces)
      this.#write(`health ${workspace}`, () => writeHealth(workspace, health))
    this.#manager.alive(health.state === 'ok' ? `${pending} pending` : health.reasons.join(' '))
  }

  async #writeTextfile(file: string): Promise<void> {
    const text = await attemptAsync(this.#render, why => this.#notWritten('metrics', why))
    if (text !== undefined) this.#write('metrics', () => writeTextfile(file, text))
  }

  /** The first word of `what` names the file. */
  #write(what: string, write: () => void): void {
    attempt(
      () => {
        write()
        this.degraded(what, undefined)
      },
      why => this.#notWritten(what, why),
    )
  }

  #notWritten(what: string, why: string): void {
    const problem = `The ${what.split(' ')[0]} file could not be written: ${withoutStop(why)}.`
    if (this.#reasons.get(what) !== problem) this.#options.log?.({ event: 'problem', problem })
    this.degraded(what, problem)
  }

  async #metrics(): Promise<string> {
    const found = await measure(this.#options.workspaces)
    return exposition([...machineFamilies(found), ...daemonFamilies(this.#counters)])
  }
}

/** Each reason once: a hundred agents on one hung tmux server share theirs. */
function reasonsIn(all: ReadonlyMap<string, string>): string[] {
  const reasons = [...new Set(all.values())]
  const more = reasons.length - MAX_REASONS
  return more > 0 ? [...reasons.slice(0, MAX_REASONS), `And ${more} more; see the log.`] : reasons
}
