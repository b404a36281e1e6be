import { CannotMeasureError } from '../errors.ts'
import { Limit } from '../limit.ts'
import { poll } from '../poll.ts'
import type { ReportedResources } from '../probe/owners.ts'
import type { PaneResource, ProcessIdentity, ProcessResource } from '../snapshot/snapshot.ts'
import type { Directive } from './directive.ts'
import { type JournalEntry, readJournal } from './journal.ts'
import type { SystemUnderTest } from './system-under-test.ts'

/** What is known of an agent from its deploy on. */
export interface AgentFacts {
  id: string
  session: string
  taskId: string
  directive: Directive
  journal: string
  gate: string
}

const deadlineMs = 60_000

/** When it is made sure for the first time that an agent that is waited for still lives, ms: that takes a snapshot. */
const firstGoneCheckMs = 3_000

/** Shorter: one whose claude refuses to start never comes to work. */
const startsWithinMs = 30_000

/** One deployed agent, and the ways in which it can end. */
export class Agent {
  readonly id: string
  readonly session: string
  readonly taskId: string
  readonly directive: Directive
  readonly rig: SystemUnderTest
  readonly #journal: string
  readonly #gate: string

  constructor(rig: SystemUnderTest, { id, session, taskId, directive, journal, gate }: AgentFacts) {
    this.rig = rig
    this.id = id
    this.session = session
    this.taskId = taskId
    this.directive = directive
    this.#journal = journal
    this.#gate = gate
  }

  /** The agent reports `completed` from inside its own pane, over MCP. Resolves when it has made the call. */
  async reportsCompleted(): Promise<void> {
    await this.#passGate()
    await this.waitFor(isCompletion, 'report completed')
  }

  /** It does what is behind its gate, and only waits from then on: finished, and nobody was told. */
  async finishes(): Promise<void> {
    await this.goesOn()
    await this.isResting()
  }

  /** It does what is behind its gate, and nobody waits for it. */
  async goesOn(): Promise<void> {
    await this.rig.probe.write(this.#gate, '')
  }

  /** Somebody else reports `completed` for it, through the system that people talk to. */
  async isReportedCompleted(): Promise<Record<string, unknown>> {
    this.rig.markEnding()
    return this.rig.callTool('update_agent_progress', {
      task_id: this.taskId,
      agent_id: this.id,
      status: 'completed',
      message: 'A scenario of leakrig says so',
      progress: 100,
    })
  }

  /** The same, and nobody waits for it: what is done next may come before the call. */
  async mayComplete(): Promise<void> {
    await this.#passGate()
  }

  /** The agent comes to its scripted end: whatever its persona does once its gate is open. */
  async comesToItsEnd(): Promise<void> {
    await this.#passGate()
    await this.waitFor(entry => entry.what === 'ended', 'end')
  }

  async #passGate(): Promise<void> {
    this.rig.markEnding()
    await this.goesOn()
  }

  /** The system is asked for its end (`kill_real_agent`). */
  async isKilled(reason = 'A scenario of leakrig'): Promise<Record<string, unknown>> {
    this.rig.markEnding()
    return this.rig.callTool('kill_real_agent', { task_id: this.taskId, agent_id: this.id, reason })
  }

  /** The sentence with which the system refuses to end it. */
  killIsRefused(): Promise<string> {
    this.rig.markEnding()
    return this.rig.refusal('kill_real_agent', { task_id: this.taskId, agent_id: this.id })
  }

  /** SIGKILL for the process of its pane: what the report calls a killed session. */
  async losesItsPaneProcess(): Promise<void> {
    const { pid } = await this.pane()
    await this.#killed(process => process.pid === pid)
  }

  /** SIGKILL for claude itself, as the kernel's out-of-memory killer sends it. */
  async losesItsClaude(): Promise<void> {
    await this.#killed(process => process.comm === 'claude')
  }

  /** Somebody else ends its tmux session. */
  async losesItsSession(): Promise<void> {
    const { socket, session } = await this.pane()
    this.rig.markEnding()
    await this.rig.probe.run(['tmux', '-S', socket, 'kill-session', '-t', session])
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
    await this.#kill(server)
  }

  async #killed(which: (process: ProcessResource) => boolean): Promise<void> {
    const target = (await this.processes()).find(which)
    if (!target) throw new CannotMeasureError(`Agent ${this.id} has no such process to kill.`)
    await this.#kill(target)
  }

  async #kill(target: ProcessIdentity): Promise<void> {
    this.rig.markEnding()
    if (await this.rig.probe.signal(target, 'SIGKILL')) return
    throw new CannotMeasureError(
      `Process ${target.pid} of agent ${this.id} was gone before it could be killed.`,
    )
  }

  /** Its processes now, by the probe's own attribution. */
  async processes(): Promise<ProcessResource[]> {
    const { resources } = await this.rig.snapshot()
    return resources.filter(
      one => one.kind === 'process' && one.owner?.agent === this.id,
    ) as ProcessResource[]
  }

  /** @throws CannotMeasureError when it has no pane any more. */
  async pane(): Promise<PaneResource> {
    const { resources } = await this.rig.snapshot()
    const pane = resources.find(one => one.kind === 'pane' && one.owner?.agent === this.id)
    if (!pane) throw new CannotMeasureError(`Agent ${this.id} has no pane.`)
    return pane as PaneResource
  }

  /** What fake Claude says it did, in order. */
  async journal(): Promise<JournalEntry[]> {
    return readJournal((await this.rig.probe.read(this.#journal)) ?? '')
  }

  /** What it leaks on purpose, by its own account: the processes and files of its shape. */
  async reportedResources(): Promise<ReportedResources> {
    const made = (await this.journal()).filter(({ what }) => what === 'shape')
    return {
      pids: made.flatMap(({ pid }) => (typeof pid === 'number' ? pid : [])),
      paths: made.flatMap(({ path }) => (typeof path === 'string' ? path : [])),
    }
  }

  /** The ids of its commands that claude waits for, as its log tells of them, wherever that lies by now. */
  async foregroundTasks(): Promise<string[]> {
    const folder = `${this.rig.places.workspace}/${this.taskId}`
    const file = `${this.id}_stream.jsonl`
    const live = await this.rig.probe.read(`${folder}/logs/${file}`)
    const text = live ?? (await this.rig.probe.read(`${folder}/archive/${file}`)) ?? ''
    const started = text.split('\n').filter(line => line.includes('"task_started"') && line.endsWith('}'))
    return started
      .map(line => JSON.parse(line))
      .flatMap(({ task_id, is_backgrounded }) => (is_backgrounded === false ? task_id : []))
  }

  /** It waits at its gate, or rests below a Bash tool that runs. */
  waitUntilReady(): Promise<void> {
    return this.waitFor(({ what }) => what === 'idle' || what === 'waiting', 'come to work', startsWithinMs)
  }

  /** It goes on working while others end, and has to be there, untouched, afterwards. */
  async stays(): Promise<void> {
    await this.isResting()
    await this.rig.widenBaseline(this)
  }

  /** It only waits from now on. */
  isResting(): Promise<void> {
    return this.waitFor(entry => entry.what === 'idle', 'rest')
  }

  /** Its entries in the two registries, as they are now. */
  async registered(): Promise<{ task?: Record<string, unknown>; global?: Record<string, unknown> }> {
    const { workspace } = this.rig.places
    const task = JSON.parse(
      (await this.rig.probe.read(`${workspace}/${this.taskId}/AGENT_REGISTRY.json`)) ?? '{}',
    )
    const global = JSON.parse(
      (await this.rig.probe.read(`${workspace}/registry/GLOBAL_REGISTRY.json`)) ?? '{}',
    )
    return {
      task: task.agents?.find(({ id }: { id: string }) => id === this.id),
      global: global.agents?.[this.id],
    }
  }

  /** @throws CannotMeasureError when no such entry appears in its journal in time. */
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
      `Agent ${this.id} did not ${what} ${end === 'gone' ? 'before all of it had ended' : `within ${limit.elapsed}`}; the last it did was ${JSON.stringify(last) ?? 'nothing'}.`,
    )
  }

  /** True when neither a session nor a process of it was there twice in a row. The longer it is waited for, the less often it looks. */
  #goneCheck(): () => Promise<boolean> {
    const startedAt = performance.now()
    let [dueMs, missed] = [firstGoneCheckMs, 0]
    return async () => {
      const waitedMs = performance.now() - startedAt
      if (waitedMs < dueMs) return false
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

function isCompletion(entry: JournalEntry): boolean {
  return (
    entry.what === 'call' && entry.tool === 'update_agent_progress' && entry.arguments?.status === 'completed'
  )
}
