import type { Claim } from '../claims/evidence.ts'
import type { PipelineRole } from '../claims/pipeline-roles.ts'
import { signal } from '../platform/processes/signals.ts'
import { hasEnded, isStopped, isUninterruptible, type Process } from '../platform/processes/stat.ts'
import { type ProcessTable, readAlive, readProcess, type SeenProcess } from '../platform/processes/table.ts'
import type { EndedProcess, StrongestSignal, Zombie } from './report.ts'
import type { SupervisorsOf } from './supervisors.ts'

/** One claimed process on its way to its end. */
export interface TrackedProcess {
  claim: Claim
  role: PipelineRole
  /** As the last check found it; undefined once it has ended. */
  now: Process | undefined
  sent: StrongestSignal
  /** When a pane's process was last hung up, in ms of performance.now(), which no change of the wall clock moves. */
  hungUpAt?: number
  /** When it was first sent KILL, in ms of performance.now(). */
  killedAt?: number
  /** Who started it again, outside of the agent, after its like had been ended: then it gets no signal. */
  restartedBy?: SeenProcess
  /** True when the kernel did not let us signal it (another user's process). */
  refused: boolean
}

/** Every process that one cleanup has claimed, over all its scans. */
export class ProcessSet {
  readonly #tracked = new Map<string, TrackedProcess>()
  readonly #supervisorsOf: SupervisorsOf
  /** The machine as the first scan found it: what was there then was not started again. */
  #firstTable: ProcessTable | undefined
  /** The processes outside of the agent that have started some of it. */
  readonly #supervisors = new Set<number>()
  readonly #kept: ReadonlySet<number>

  /** `kept`: pids that are claimed and not to be ended. */
  constructor(kept: ReadonlySet<number> = new Set(), supervisorsOf: SupervisorsOf = () => []) {
    this.#kept = kept
    this.#supervisorsOf = supervisorsOf
  }

  /** Adds what a scan of these processes has claimed. Returns the processes that are new, alive, and to be ended. */
  add(
    claims: Iterable<Claim>,
    roleOf: (claim: Claim) => PipelineRole,
    table: ProcessTable = new Map(),
  ): TrackedProcess[] {
    const isFirst = this.#firstTable === undefined
    this.#firstTable ??= table
    const firstTable = this.#firstTable
    const someEnded = [...this.#tracked.values()].some(one => !one.now)
    const fresh: TrackedProcess[] = []
    for (const claim of claims) {
      const key = `${claim.process.pid} ${claim.process.start}`
      if (this.#tracked.has(key) || this.#kept.has(claim.process.pid)) continue
      const now = hasEnded(claim.process) ? undefined : claim.process
      const tracked: TrackedProcess = { claim, role: roleOf(claim), now, sent: null, refused: false }
      this.#tracked.set(key, tracked)
      const supervisors = now ? this.#supervisorsOf(claim.process, table) : []
      if (isFirst) for (const { pid } of supervisors) this.#supervisors.add(pid)
      const [nearest] = supervisors
      const isNew = firstTable.get(claim.process.pid)?.start !== claim.process.start
      if (someEnded && isNew && nearest && this.#supervisors.has(nearest.pid)) tracked.restartedBy = nearest
      if (now && !tracked.restartedBy) fresh.push(tracked)
    }
    return fresh
  }

  /** Checks every process that was alive, and returns those that still are. */
  alive(): TrackedProcess[] {
    const living = [...this.#tracked.values()].filter(tracked => tracked.now && !tracked.restartedBy)
    for (const tracked of living) tracked.now = readAlive(tracked.claim.process)
    return living.filter(tracked => tracked.now)
  }

  /** True when some of it was started by somebody outside, who may start it again. */
  get isSupervised(): boolean {
    return this.#supervisors.size > 0
  }

  /** Those that somebody outside has started again, and that run. */
  restarted(): TrackedProcess[] {
    return [...this.#tracked.values()].filter(
      ({ restartedBy, claim }) => restartedBy && readAlive(claim.process) !== undefined,
    )
  }

  /** The claims by pid, for the next scan. */
  claims(): ReadonlyMap<number, Claim> {
    return new Map([...this.#tracked.values()].map(({ claim }) => [claim.process.pid, claim]))
  }

  ended(): EndedProcess[] {
    return [...this.#tracked.values()]
      .filter(({ now, claim, restartedBy }) => !now && !restartedBy && !hasEnded(claim.process))
      .map(({ claim: { process, evidence }, sent }) => ({
        pid: process.pid,
        start: process.start,
        comm: process.comm,
        evidence,
        signal: sent,
      }))
  }

  zombies(): Zombie[] {
    return [...this.#tracked.values()].flatMap(({ claim: { process } }) => {
      const now = readProcess(process.pid)
      if (!now || now.start !== process.start || !hasEnded(now)) return []
      const parent = { pid: now.ppid, comm: readProcess(now.ppid)?.comm ?? '?' }
      return [{ pid: now.pid, start: now.start, comm: now.comm, parent }]
    })
  }
}

/** Asks a process to end. A pane's process gets a hang-up too: an interactive shell ignores TERM and ends on HUP. */
export function terminate(tracked: TrackedProcess): void {
  if (tracked.role === 'pane') hangUp(tracked)
  send(tracked, 'SIGTERM', ['SIGTERM'])
}

/** Sends a pane's process the signal that its terminal is gone. */
export function hangUp(tracked: TrackedProcess): void {
  const sent = signal(tracked.claim.process, 'SIGHUP')
  tracked.refused ||= sent === 'refused'
  if (sent === 'sent') tracked.hungUpAt = performance.now()
}

/** Ends a process at once. */
export function kill(tracked: TrackedProcess): void {
  tracked.killedAt ??= performance.now()
  send(tracked, 'SIGKILL', ['SIGKILL'])
}

/** Continues a stopped process, which would never read the end of its input. */
export function wake(tracked: TrackedProcess): void {
  if (tracked.now && isStopped(tracked.now)) signal(tracked.claim.process, 'SIGCONT')
}

/** Stops a process. Only KILL may follow: a stopped process keeps all its locks and files. */
export function freeze(tracked: TrackedProcess): void {
  tracked.refused ||= signal(tracked.claim.process, 'SIGSTOP') === 'refused'
}

/** True when a process runs no code any more, and so starts nothing. */
export function isFrozen({ now }: TrackedProcess): boolean {
  return now === undefined || isStopped(now) || isUninterruptible(now)
}

function send(tracked: TrackedProcess, strongest: StrongestSignal, signals: NodeJS.Signals[]): void {
  const sent = signal(tracked.claim.process, ...signals)
  tracked.refused ||= sent === 'refused'
  if (sent === 'sent') tracked.sent = strongest
}
