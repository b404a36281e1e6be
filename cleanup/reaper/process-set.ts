import type { Claim } from '../claims/evidence.ts'
import type { PipelineRole } from '../claims/pipeline-roles.ts'
import { signal } from '../platform/processes/signals.ts'
import { hasEnded, isStopped, isUninterruptible, type Process } from '../platform/processes/stat.ts'
import { readAlive, readProcess } from '../platform/processes/table.ts'
import type { EndedProcess, StrongestSignal, Zombie } from './report.ts'

/** One claimed process on its way to its end. */
export interface TrackedProcess {
  claim: Claim
  role: PipelineRole
  /** As it was seen last; undefined once it has ended. */
  now: Process | undefined
  sent: StrongestSignal
  /** When a pane's process was last hung up, by a clock that nobody can set. */
  hungUpAt?: number
  /** When it was first sent KILL, by a clock that nobody can set. */
  killedAt?: number
  /** True when the kernel did not let us signal it (another user's process). */
  refused: boolean
}

/** Every process that one cleaning has claimed, over all its scans. */
export class ProcessSet {
  readonly #members = new Map<string, TrackedProcess>()

  /** Takes in what a scan has claimed. Returns those who are new and alive. */
  add(claims: Iterable<Claim>, roleOf: (claim: Claim) => PipelineRole): TrackedProcess[] {
    const fresh: TrackedProcess[] = []
    for (const claim of claims) {
      const key = `${claim.process.pid} ${claim.process.start}`
      if (this.#members.has(key)) continue
      const now = hasEnded(claim.process) ? undefined : claim.process
      const member: TrackedProcess = { claim, role: roleOf(claim), now, sent: null, refused: false }
      this.#members.set(key, member)
      if (now) fresh.push(member)
    }
    return fresh
  }

  /** Looks at every member that was alive, and returns those that still are. */
  alive(): TrackedProcess[] {
    const living = [...this.#members.values()].filter(member => member.now)
    for (const member of living) member.now = readAlive(member.claim.process)
    return living.filter(member => member.now)
  }

  /** The claims by pid, for the next scan. */
  claims(): ReadonlyMap<number, Claim> {
    return new Map([...this.#members.values()].map(({ claim }) => [claim.process.pid, claim]))
  }

  ended(): EndedProcess[] {
    return [...this.#members.values()]
      .filter(({ now, claim }) => !now && !hasEnded(claim.process))
      .map(({ claim: { process, evidence }, sent }) => ({
        pid: process.pid,
        start: process.start,
        comm: process.comm,
        evidence,
        signal: sent,
      }))
  }

  zombies(): Zombie[] {
    return [...this.#members.values()].flatMap(({ claim: { process } }) => {
      const now = readProcess(process.pid)
      if (!now || now.start !== process.start || !hasEnded(now)) return []
      const parent = { pid: now.ppid, comm: readProcess(now.ppid)?.comm ?? '?' }
      return [{ pid: now.pid, start: now.start, comm: now.comm, parent }]
    })
  }
}

/** Asks a process to end. A pane's process gets a hang-up too: an interactive shell ignores TERM and ends on HUP. */
export function terminate(member: TrackedProcess): void {
  if (member.role === 'pane') hangUp(member)
  send(member, 'SIGTERM', ['SIGTERM'])
}

/** Tells a pane's process that its terminal is gone. */
export function hangUp(member: TrackedProcess): void {
  const sent = signal(member.claim.process, 'SIGHUP')
  member.refused ||= sent === 'refused'
  if (sent === 'sent') member.hungUpAt = performance.now()
}

/** Ends a process without asking. */
export function kill(member: TrackedProcess): void {
  member.killedAt ??= performance.now()
  send(member, 'SIGKILL', ['SIGKILL'])
}

/** Lets a stopped process go on: it would never see the end of its input. */
export function wake(member: TrackedProcess): void {
  if (member.now && isStopped(member.now)) signal(member.claim.process, 'SIGCONT')
}

/** Stops a process where it is. Only KILL is to follow: it holds on to everything that it has. */
export function freeze(member: TrackedProcess): void {
  member.refused ||= signal(member.claim.process, 'SIGSTOP') === 'refused'
}

/** True when a process does nothing any more, and starts nothing. */
export function isFrozen({ now }: TrackedProcess): boolean {
  return now === undefined || isStopped(now) || isUninterruptible(now)
}

function send(member: TrackedProcess, strongest: StrongestSignal, signals: NodeJS.Signals[]): void {
  const sent = signal(member.claim.process, ...signals)
  member.refused ||= sent === 'refused'
  if (sent === 'sent') member.sent = strongest
}
