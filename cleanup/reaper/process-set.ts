import type { Claim } from '../claims/evidence.ts'
import type { PipelineRole } from '../claims/pipeline-roles.ts'
import { isOrphan, selfAndAncestors } from '../platform/processes/ancestry.ts'
import { ageMs } from '../platform/processes/details.ts'
import { signal } from '../platform/processes/signals.ts'
import { hasEnded, isStopped, isUninterruptible, type Process } from '../platform/processes/stat.ts'
import { type ProcessTable, readAlive, readProcess, type SeenProcess } from '../platform/processes/table.ts'
import type { EarlierRestarts } from './earlier-restarts.ts'
import type { EndedProcess, StrongestSignal, Zombie } from './report.ts'
import type { StrayBirthOf, SupervisorsOf } from './supervisors.ts'

/** One claimed process on its way to its end. */
export interface TrackedProcess {
  claim: Claim
  role: PipelineRole
  /** As the last check found it; undefined once it has ended. */
  now: Process | undefined
  sent: StrongestSignal
  /** When a pane's process was last hung up, in ms of performance.now(), which no change of the wall clock moves. */
  hungUpAt?: number
  /** True once it was stopped, for good: only KILL follows. */
  isFrozen?: boolean
  /** When it was first sent KILL, in ms of performance.now(). */
  killedAt?: number
  /** Who started it again, outside of the agent, after its like had been ended, or that nothing shows who: it gets no signal. */
  restartedBy?: SeenProcess | 'unknown'
  /** True when it came later, and nothing ties it to whoever started it. */
  isStray?: boolean
  /** True when the kernel did not let us signal it (another user's process). */
  refused: boolean
}

/** How long, in ms, a process that somebody outside had started is expected back once it has ended. */
const RESTART_MS = 500
/** The same for an orphan, which only somebody who looks after it from afar starts again. */
const ORPHAN_RESTART_MS = 100

/** How far, in ms, the age of a process may be off: start time and uptime are rounded. */
const AGE_IS_OFF_BY_MS = 10

const keyOf = ({ pid, start }: SeenProcess): string => `${pid} ${start}`

/** Every process that one cleanup has claimed, over all its scans. */
export class ProcessSet {
  readonly #tracked = new Map<string, TrackedProcess>()
  readonly #supervisorsOf: SupervisorsOf
  /** The machine as the first scan found it: what was there then was not started again. */
  #firstTable: ProcessTable | undefined
  /** The processes outside of the agent that have started some of it. */
  readonly #supervisors = new Set<number>()
  readonly #startedBy: { supervisor: SeenProcess; process: SeenProcess }[] = []
  readonly #kept: ReadonlySet<number>
  readonly #birthOf: StrayBirthOf
  readonly #earlier: Pick<EarlierRestarts, 'startedBy'>
  /** When all but strays had ended or been stopped for good, in ms of performance.now(): none of them started what began since. */
  #endedAt: number | undefined
  readonly #orphans: Process[] = []

  /** `kept`: pids that are claimed and not to be ended. */
  constructor(
    kept: ReadonlySet<number> = new Set(),
    supervisorsOf: SupervisorsOf = () => [],
    birthOf: StrayBirthOf = () => undefined,
    earlier: Pick<EarlierRestarts, 'startedBy'> = { startedBy: () => undefined },
  ) {
    this.#earlier = earlier
    this.#kept = kept
    this.#supervisorsOf = supervisorsOf
    this.#birthOf = birthOf
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
    const before = [...this.#tracked.values()]
    // One that was signalled just before a scan may end, and be started again, within it.
    const someEnded = () => before.some(one => !one.now || !readAlive(one.claim.process))
    const fresh: TrackedProcess[] = []
    // A parent comes before its children.
    const inOrder = isFirst ? claims : [...claims].sort((a, b) => a.process.start - b.process.start)
    for (const claim of inOrder) {
      const key = keyOf(claim.process)
      if (this.#tracked.has(key) || this.#kept.has(claim.process.pid)) continue
      const now = hasEnded(claim.process) ? undefined : claim.process
      const tracked: TrackedProcess = { claim, role: roleOf(claim), now, sent: null, refused: false }
      this.#tracked.set(key, tracked)
      const earlier = now && this.#earlier.startedBy(claim, table)
      if (earlier) {
        tracked.restartedBy = earlier
        continue
      }
      const supervisors = now ? this.#supervisorsOf(claim.process, table) : []
      const [nearest] = supervisors
      if (isFirst && nearest) this.#startedBy.push({ supervisor: nearest, process: claim.process })
      if (isFirst) for (const { pid } of supervisors) this.#supervisors.add(pid)
      if (isFirst && now && isOrphan(now, table)) this.#orphans.push(now)
      const isNew = firstTable.get(claim.process.pid)?.start !== claim.process.start
      if (isNew && nearest && this.#supervisors.has(nearest.pid) && someEnded()) tracked.restartedBy = nearest
      else if (isNew && now) this.#noteStray(tracked, table)
      if (now && !tracked.restartedBy) fresh.push(tracked)
    }
    return fresh
  }

  /**
   * Notes a process that nothing ties to whoever started it. It was started again by somebody outside if it began after all of
   * the agent's had ended, or is the second. One that has the memory of a tracked process was forked by it, and where such a
   * process has ended by itself, it was a link in a chain of the agent's own.
   */
  #noteStray(tracked: TrackedProcess, table: ProcessTable): void {
    const { process } = tracked.claim
    const above = selfAndAncestors(table, process.ppid).map(one => this.#tracked.get(keyOf(one)))
    const from = above.find(one => one?.isStray)
    if (from) {
      tracked.isStray = true
      if (from.restartedBy) tracked.restartedBy = from.restartedBy
      return
    }
    const birth = this.#birthOf(process, table)
    if (!birth) return
    const laterMs = performance.now() - (this.#endedAt ?? Number.POSITIVE_INFINITY) - ageMs(process)
    // What began before the agent's end may have been started by the agent.
    if (birth === 'orphan' && laterMs < -AGE_IS_OFF_BY_MS) return
    const others = [...this.#tracked.values()].filter(one => one !== tracked)
    if (others.some(({ claim }) => claim.process.environmentAt === process.environmentAt)) return
    if (others.some(one => one.restartedBy === 'unknown' && !readAlive(one.claim.process))) return
    const isSecond = others.some(one => one.isStray && one.sent !== null && !one.now)
    tracked.isStray = true
    if (laterMs > AGE_IS_OFF_BY_MS || (isSecond && this.#endedAt !== undefined))
      tracked.restartedBy = 'unknown'
  }

  /** Checks every process that was alive, and returns those that still are. */
  alive(): TrackedProcess[] {
    const living = [...this.#tracked.values()].filter(one => one.now && !one.restartedBy)
    for (const one of living) one.now = readAlive(one.claim.process)
    const alive = living.filter(one => one.now)
    if (alive.some(one => !one.isStray && !one.isFrozen)) this.#endedAt = undefined
    else if (this.#tracked.size > 0 && alive.every(one => one.isStray)) this.#endedAt ??= performance.now()
    return alive
  }

  /** Notes that a scan of the whole machine has found nothing of the agent's that moves; a log writer still does. */
  noteFrozen(): void {
    if (this.alive().every(one => one.isStray || one.isFrozen)) this.#endedAt ??= performance.now()
  }

  /** How long, in ms, a process that has ended is expected back: somebody outside had started it, or nothing shows who. */
  get expectedWithinMs(): number {
    if (this.#supervisors.size > 0) return RESTART_MS
    const claims = this.claims()
    return this.#orphans.some(({ ppid }) => !claims.has(ppid)) ? ORPHAN_RESTART_MS : 0
  }

  /** Those outside that have started some of it and still run, each with one that it started. */
  supervisors(): { supervisor: SeenProcess; process: SeenProcess }[] {
    const once = new Map(this.#startedBy.map(one => [one.supervisor.pid, one]))
    return [...once.values()].filter(({ supervisor }) => readAlive(supervisor) !== undefined)
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
  tracked.isFrozen = !tracked.refused
}

/** True when a process runs no code any more, and so starts nothing. */
export function isStill({ now }: TrackedProcess): boolean {
  return now === undefined || isStopped(now) || isUninterruptible(now)
}

function send(tracked: TrackedProcess, strongest: StrongestSignal, signals: NodeJS.Signals[]): void {
  const sent = signal(tracked.claim.process, ...signals)
  tracked.refused ||= sent === 'refused'
  if (sent === 'sent') tracked.sent = strongest
}
