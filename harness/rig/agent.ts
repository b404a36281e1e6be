import { CannotMeasureError } from '../errors.ts'
import { Limit } from '../limit.ts'
import { poll } from '../poll.ts'
import type { ReportedResources } from '../probe/owners.ts'
import type { PaneResource, ProcessIdentity, ProcessResource } from '../snapshot/snapshot.ts'
import { claudeEndsWithin, waitForExit } from './claude-end.ts'
import type { Directive } from './directive.ts'
import { insideCallText } from './inside-call.ts'
import { type JournalEntry, readJournal } from './journal.ts'
import type { Located } from './locate-agent.ts'
import { registeredEntries } from './registered-entries.ts'
import { quotedLines } from './system-failure.ts'
import type { SystemUnderTest } from './system-under-test.ts'

/** The files by which the rig follows and leads one fake claude. */
export interface AgentFiles {
  journal: string
  gate: string
  /** How it reports its completion. */
  completion: string
}

/** What the deploy of an agent determines. */
export interface AgentFacts {
  /** What the system's answer named (`Ref`), and the agent's type. */
  values: Record<string, string>
  directive: Directive
  files: AgentFiles
  /** Its number among the agents of the scenario, from 1. */
  number: number
}

const deadlineMs = 60_000

/** How long to wait for an agent before checking for the first time that it still lives, ms: that takes a snapshot. */
const firstGoneCheckMs = 3_000

/** Shorter, because an agent whose claude refuses to start never gets ready. */
const startsWithinMs = 30_000

/** One deployed agent, and the ways in which it can end. */
export class Agent {
  /** The system's name for it, or one of the rig's where the system has none. */
  readonly id: string
  readonly directive: Directive
  readonly files: AgentFiles
  readonly rig: SystemUnderTest
  /** What is known of it: what the system's answer named, and what the rig found (locate-agent.ts). */
  values: Record<string, string>
  #mayBeRefused = false
  /** Where it works; undefined until it runs. */
  located: Located | undefined

  constructor(rig: SystemUnderTest, { values, directive, files, number }: AgentFacts) {
    this.rig = rig
    this.id = values.id ?? values.session ?? values.pane ?? `agent ${number}`
    this.values = values
    this.directive = directive
    this.files = files
  }

  /** The name of its tmux session. @throws where it has none of its own, or none is known yet */
  get session(): string {
    const { session } = this.values
    if (session !== undefined) return session
    throw new CannotMeasureError(`No tmux session of agent ${this.id} is known.`)
  }

  get #startsWithinMs(): number {
    return this.rig.definition.startsWithinMs ?? startsWithinMs
  }

  /** The agent reports `completed` from inside its own pane. Resolves when it has made that call. */
  async reportsCompleted(): Promise<void> {
    await this.mayComplete()
    await this.waitFor(entry => entry.what === 'completion', 'report completed')
    this.rig.timeline.mark('has reported completed', this.id)
  }

  /** It completes in the way that the system declares: it reports that, or its claude exits. */
  completes(): Promise<void> {
    return this.rig.definition.exit ? this.completesByExit() : this.reportsCompleted()
  }

  /**
   * Its claude prints its result and exits, and somebody makes the call that the system declares for afterwards.
   * @throws CannotMeasureError when claude does not exit, or fails, or ends before its result: that is no completion
   */
  async completesByExit(): Promise<void> {
    await this.mayComplete()
    await this.waitFor(({ what }) => what === 'completion' || what === 'ended', 'finish its work')
    await waitForExit(this)
    this.rig.markEnding('has exited', this.id)
    if (this.rig.definition.exit?.length) await this.rig.callEnding('exit', this.values)
  }

  /** The same where a system is right to refuse the report: that it fails is no fault then. */
  async reportsCompletedInVain(): Promise<void> {
    this.#mayBeRefused = true
    await this.reportsCompleted()
  }

  /** It passes its gate, finishes its work and waits, without reporting that it has completed. */
  async finishes(): Promise<void> {
    await this.goesOn()
    await this.isResting()
  }

  /** Opens its gate, without waiting for what it does then. */
  async goesOn(): Promise<void> {
    await this.rig.probe.write(this.files.gate, '')
  }

  /** Somebody else reports that it has completed, outside of any agent. The system's answer. */
  async isReportedCompleted(): Promise<unknown> {
    await this.#livesUntilNow('completes.outside')
    this.rig.markEnding('is reported completed', this.id)
    return this.rig.callEnding('outside', this.values)
  }

  /** Opens its gate to let it report `completed`, without waiting for the call. */
  async mayComplete(): Promise<void> {
    this.rig.markEnding('may come to its end', this.id)
    await this.rig.probe.write(this.files.completion, insideCallText(this.rig, this.values))
    await this.goesOn()
  }

  /** Opens its gate, and waits until its persona has come to its end. */
  async comesToItsEnd(): Promise<void> {
    await this.mayComplete()
    await this.waitFor(entry => entry.what === 'ended', 'end')
  }

  /** Opens its gate, and waits until its persona has crashed, before somebody cleans up after that. */
  async crashesByItself(): Promise<void> {
    await this.comesToItsEnd()
    if (!(await claudeEndsWithin(this, deadlineMs)))
      throw new CannotMeasureError(`The claude of agent ${this.id} did not crash.`)
    await this.rig.recover(this.values)
  }

  /** Somebody ends it by the system's kill. The system's answer. */
  async isKilled(reason = 'A scenario of leakrig'): Promise<unknown> {
    await this.#livesUntilNow('kill')
    this.rig.markEnding('is killed', this.id)
    return this.rig.callEnding('kill', { ...this.values, reason })
  }

  /** The sentence with which the system refuses to end it. */
  killIsRefused(): Promise<string> {
    this.rig.markEnding('is killed, in vain', this.id)
    return this.rig.roleRefusal('kill', { ...this.values, reason: 'A scenario of leakrig' })
  }

  /** SIGKILL for the process of its pane, which the report calls a killed session. */
  async losesItsPaneProcess(): Promise<void> {
    const { pid } = await this.pane()
    await this.#killed('loses the process of its pane', process => process.pid === pid)
  }

  /** SIGKILL for claude itself, as the kernel's out-of-memory killer sends it. */
  async losesItsClaude(): Promise<void> {
    const claude = await this.claude()
    await this.#killed('loses its claude', ({ pid }) => pid === claude?.pid)
  }

  /** Somebody else ends its tmux session. */
  async losesItsSession(): Promise<void> {
    const { socket, session } = await this.pane()
    this.rig.markEnding('loses its session', this.id)
    await this.rig.probe.run(['tmux', '-S', socket, 'kill-session', '-t', session])
    await this.rig.recover(this.values)
  }

  /** SIGKILL for the tmux server that it lives in, with every session on it. */
  async losesItsTmuxServer(): Promise<void> {
    const { serverPid, socket } = await this.pane()
    await this.rig.ignore('its tmux server was killed', one => {
      if (one.kind === 'server' || one.kind === 'process') return one.pid === serverPid
      return one.kind === 'socket' && one.address === `unix ${socket}`
    })
    const { resources } = await this.rig.snapshot()
    const server = resources.find(one => one.kind === 'process' && one.pid === serverPid) as ProcessResource
    await this.#kill('loses its tmux server', server)
  }

  async #killed(how: string, which: (process: ProcessResource) => boolean): Promise<void> {
    const target = (await this.processes()).find(which)
    if (!target) throw new CannotMeasureError(`Agent ${this.id} has no such process to kill.`)
    await this.#kill(how, target)
  }

  async #kill(how: string, target: ProcessIdentity): Promise<void> {
    this.rig.markEnding(how, this.id)
    if (await this.rig.probe.signal(target, 'SIGKILL')) return this.rig.recover(this.values)
    throw new CannotMeasureError(
      `Process ${target.pid} of agent ${this.id} was gone before it could be killed.`,
    )
  }

  /** The processes that the probe attributes to it now. */
  async processes(): Promise<ProcessResource[]> {
    const { resources } = await this.rig.snapshot()
    return resources.filter(
      one => one.kind === 'process' && one.owner?.agent === this.id,
    ) as ProcessResource[]
  }

  /**
   * The first ending of a scenario must have something to end: an agent that is gone by itself would make every ending pass.
   * @throws CannotMeasureError when its claude ran and is gone, and did not come to its own end
   */
  async #livesUntilNow(call: string): Promise<void> {
    if (this.located?.claude === undefined || this.rig.hasEnding) return
    if ((await this.claude())?.state.match(/[^ZX]/)) return
    if ((await this.journal()).some(({ what }) => what === 'ended')) return
    throw new CannotMeasureError(
      [
        `The claude of agent ${this.id} was gone before ${call} was called, so there was nothing to end: what ended it?`,
        ...quotedLines('the output of the system', await this.rig.probe.systemOutput()),
      ].join('\n'),
    )
  }

  /** Its claude, by its journal: what it has started may be named claude too. Undefined once it is gone. */
  async claude(): Promise<ProcessResource | undefined> {
    const started = (await this.journal()).find(({ what }) => what === 'started')
    return (await this.processes()).find(({ pid }) => pid === started?.pid)
  }

  /** @throws CannotMeasureError when it has no pane any more */
  async pane(): Promise<PaneResource> {
    const { resources } = await this.rig.snapshot()
    const own = resources.filter(one => one.kind === 'pane' && one.owner?.agent === this.id)
    // An agent may have panes on servers that it started itself.
    const pane = own.find(({ id }) => id === this.located?.pane?.id) ?? own[0]
    if (!pane) throw new CannotMeasureError(`Agent ${this.id} has no pane.`)
    return pane as PaneResource
  }

  /** What its fake claude did, in order, by its own journal. */
  async journal(): Promise<JournalEntry[]> {
    return readJournal((await this.rig.probe.read(this.files.journal)) ?? '')
  }

  /** The processes and files that it leaks on purpose, by its own journal. */
  async reportedResources(): Promise<ReportedResources> {
    const made = (await this.journal()).filter(({ what }) => what === 'shape')
    return {
      pids: made.flatMap(({ pid }) => (typeof pid === 'number' ? pid : [])),
      paths: made.flatMap(({ path }) => (typeof path === 'string' ? path : [])),
    }
  }

  /** The ids of the commands that its claude waits for. */
  async foregroundTasks(): Promise<string[]> {
    return (await this.journal()).flatMap(({ what, task }) =>
      what === 'foreground' && typeof task === 'string' ? task : [],
    )
  }

  /** What was answered to its reports of its completion that failed. */
  async failedReports(): Promise<string[]> {
    return (await this.journal()).flatMap(({ what, why }) =>
      what === 'completion failed' && !this.#mayBeRefused ? String(why) : [],
    )
  }

  /** Waits until its claude has started. */
  hasStarted(): Promise<void> {
    return this.waitFor(({ what }) => what === 'started', 'start its claude', this.#startsWithinMs)
  }

  /** Waits until it waits at its gate, or is idle while a Bash tool runs. */
  waitUntilReady(): Promise<void> {
    return this.waitFor(
      ({ what }) => what === 'idle' || what === 'waiting',
      'get ready',
      this.#startsWithinMs,
    )
  }

  /** It goes on working while others end, and has to be there afterwards. */
  async stays(): Promise<void> {
    await this.isResting()
    await this.rig.widenBaseline(this)
  }

  /** Waits until it is idle. */
  isResting(): Promise<void> {
    return this.waitFor(entry => entry.what === 'idle', 'become idle')
  }

  /** Its entries in the registries that the system declares, by the registries' names. */
  registered(): Promise<Record<string, Record<string, unknown> | undefined>> {
    return registeredEntries(this.rig, this.id)
  }

  /** @throws CannotMeasureError when no such entry appears in its journal in time */
  async waitFor(
    matches: (entry: JournalEntry) => boolean,
    what: string,
    withinMs = deadlineMs,
  ): Promise<void> {
    const limit = new Limit(withinMs)
    const happened = async () => (await this.journal()).some(matches)
    const isGone = this.#goneCheck()
    const end = await poll(withinMs, async () => {
      if (await happened()) return 'seen'
      if (await isGone()) return (await happened()) ? 'seen' : 'gone'
      return undefined
    })
    if (end === 'seen') return
    const last = (await this.journal()).at(-1)
    throw new CannotMeasureError(
      `Agent ${this.id} did not ${what} ${end === 'gone' ? 'before all of it had ended' : `within ${limit.elapsed}`}; its last journal entry is ${JSON.stringify(last) ?? 'missing'}.`,
    )
  }

  /** Returns a check: true when two snapshots in a row showed no session and no process of it. It gets rarer with time. */
  #goneCheck(): () => Promise<boolean> {
    const startedAt = performance.now()
    let [dueMs, missed] = [firstGoneCheckMs, 0]
    return async () => {
      const waitedMs = performance.now() - startedAt
      // Without a session of its own, nothing is known to be the agent's before its claude has started.
      const isKnown = this.located !== undefined || this.rig.definition.tmux === 'session'
      if (waitedMs < dueMs || !isKnown) return false
      const { resources } = await this.rig.snapshot()
      const lives = resources.some(
        one =>
          one.owner?.agent === this.id &&
          (one.kind === 'session' || (one.kind === 'process' && one.state !== 'Z')),
      )
      missed = lives ? 0 : missed + 1
      dueMs = lives ? 2 * waitedMs : waitedMs + 500
      return missed >= 2
    }
  }
}
