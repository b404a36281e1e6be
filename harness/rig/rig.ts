import { AssertionError } from 'node:assert'
import type { Places, ProbeApi, ProcessIdentity, SystemCommand } from '../probe/api.ts'
import { CannotMeasureError } from '../sandbox/sandbox.ts'
import type { Resource, Snapshot } from '../snapshot/snapshot.ts'
import { compare, type Difference } from '../verdict/compare.ts'
import type { Known } from '../verdict/known.ts'
import { poll } from '../verdict/poll.ts'
import { defaultPatience, type Patience, settle } from '../verdict/settle.ts'
import { stableBaseline } from '../verdict/stable-baseline.ts'
import type { Verdict } from '../verdict/verdict.ts'
import { Agent, type AgentFacts } from './agent.ts'
import { type Directive, directiveText } from './directive.ts'
import { Excuses } from './excuses.ts'
import { loadMissing, shapeMissing } from './load.ts'
import { Lookout } from './lookout.ts'

/** What a deploy asks for: a persona of fake Claude with its parameters, and the type that its id begins with. */
export interface DeployOptions extends Directive {
  type?: string
}

/** What has to be there at a settling, where agents live on or bystanders came after the first ending. */
export interface Expected {
  baseline: Snapshot
  /** True for what may be there as well. */
  mayBeNew(one: Resource): boolean
}

const deployDeadlineMs = 20_000

/**
 * One system under test in one sandbox, and everything the rig knows about the two. A scenario deploys
 * agents through it, ends them, and asks whether the sandbox is back at the baseline.
 */
export class Rig {
  readonly probe: ProbeApi
  readonly places: Places
  readonly verdicts: Verdict[] = []
  /** Expectations beside the baseline that were not met, in sentences. */
  readonly unmet: string[] = []
  readonly #agents: Agent[] = []
  /** Identities of the processes that the system started before its first agent. */
  #ownProcesses = new Set<string>()
  readonly #excuses = new Excuses()
  #taskId = ''
  #command: SystemCommand | undefined
  #system: ProcessIdentity | undefined
  #baseline: Promise<Snapshot> | undefined
  readonly #lookout: Lookout
  #endedAt: number | undefined

  constructor(probe: ProbeApi, places: Places) {
    this.probe = probe
    this.places = places
    this.#lookout = new Lookout(() => probe.snapshot())
  }

  /** Starts the system and creates the one task that the scenario's agents belong to. */
  async start(system: SystemCommand): Promise<void> {
    this.#command = system
    await this.startSystem()
    const { task_id } = await this.callTool('create_real_task', { description: 'A scenario of leakrig' })
    this.#taskId = String(task_id)
  }

  /**
   * Starts the system, or starts it anew after its process was killed, as it was or by another command; the tasks
   * and agents stay.
   */
  async startSystem(command = this.#command): Promise<ProcessIdentity> {
    this.#command = command
    if (!this.#command) throw new Error('The rig was not told which system to start.')
    this.#system = await this.probe.startSystem(this.#command)
    await this.#noteOwnProcesses()
    return this.#system
  }

  async #noteOwnProcesses(): Promise<void> {
    // Later an agent's processes would be among them.
    if (this.#baseline) return
    const { resources } = await this.look()
    this.#ownProcesses = new Set(resources.flatMap(one => (one.kind === 'process' ? one.id : [])))
  }

  /** The process that was started last. */
  get system(): ProcessIdentity {
    if (!this.#system) throw new Error('No system was started.')
    return this.#system
  }

  /**
   * Calls a tool of the system.
   * @throws CannotMeasureError when the system answers with an error: what it does then is not measured.
   */
  async callTool(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
    const { isError, content } = await this.probe.callTool(name, args)
    if (isError || typeof content !== 'object' || content === null) {
      throw new CannotMeasureError(`The system answered ${name} with an error: ${JSON.stringify(content)}.`)
    }
    return content as Record<string, unknown>
  }

  /** Deploys an agent and waits until it is at work: the load has to be seen, or nothing is proved by its absence. */
  async deploy(options: DeployOptions): Promise<Agent> {
    const agent = await this.launch(options)
    await this.seeAtWork(agent)
    return agent
  }

  /** Has the system deploy an agent, and does not wait until it is at work: `seeAtWork` does. */
  async launch({ type = 'worker', ...directive }: DeployOptions): Promise<Agent> {
    await this.baseline()
    const { prompt, ...files } = this.#errand(directive)
    const { agent_id, tmux_session } = await this.callTool('deploy_headless_agent', {
      task_id: this.#taskId,
      agent_type: type,
      prompt,
    })
    return this.#meet({ id: String(agent_id), session: String(tmux_session), directive, ...files })
  }

  /**
   * Has the system deploy an agent, and die before it can answer. The session that is there then is the agent's:
   * it is named as the report names them, `agent_<id>`.
   * @throws CannotMeasureError when the system answers, or no new session appears.
   */
  async launchHalf({ type = 'worker', ...directive }: DeployOptions): Promise<Agent> {
    const before = new Set((await this.baseline()).resources.map(({ id }) => id))
    const { prompt, ...files } = this.#errand(directive)
    const call = { task_id: this.#taskId, agent_type: type, prompt }
    const answered = await this.callTool('deploy_headless_agent', call).catch(() => undefined)
    if (answered) throw new CannotMeasureError('The system was to die while it deploys, and has answered.')
    const session = await poll(deployDeadlineMs, async () => {
      const { resources } = await this.look()
      return resources.find(
        one => one.kind === 'session' && one.name.startsWith('agent_') && !before.has(one.id),
      )
    })
    if (session?.kind !== 'session') throw new CannotMeasureError('The system died before it deployed.')
    return this.#meet({ id: session.name.slice('agent_'.length), session: session.name, directive, ...files })
  }

  /** Where an agent writes down what it does, where it waits, and the prompt that says so. */
  #errand(directive: Directive) {
    const key = `${this.#agents.length}-${Math.random().toString(36).slice(2, 8)}`
    const files = { journal: `${this.places.own}/${key}.ndjson`, gate: `${this.places.own}/${key}.gate` }
    return { ...files, prompt: `Do what you are told. ${directiveText({ ...directive, ...files })}` }
  }

  async #meet(facts: Omit<AgentFacts, 'taskId'>): Promise<Agent> {
    const agent = new Agent(this, { ...facts, taskId: this.#taskId })
    this.#agents.push(agent)
    await this.probe.knowAgent({ id: agent.id, session: agent.session })
    return agent
  }

  /** Waits until an agent is at work, and until all that it is made of, and all that it makes, has been seen. */
  async seeAtWork(agent: Agent): Promise<void> {
    await agent.waitUntilAtWork().catch(async error => {
      throw (await agent.journal()).length > 0 ? error : ((await this.#refusal(agent.directive)) ?? error)
    })
    await this.probe.knowThings(agent.id, await agent.ownThings())
    await this.#seeLoad(agent)
  }

  /** What claude itself says of a directive that it does not take: the orchestrator's pane is gone with its words. */
  async #refusal(directive: Directive): Promise<CannotMeasureError | undefined> {
    const asked = await this.probe.run(['claude', '--print', directiveText(directive)]).catch(() => undefined)
    if (!asked || asked.code === 0) return undefined
    return new CannotMeasureError(`The fake claude refused to start: ${asked.stderr.trim()}`)
  }

  async #seeLoad(agent: Agent): Promise<void> {
    let missing: string[] = []
    const own = await agent.ownThings()
    const seen = await poll(deployDeadlineMs, async () => {
      const snapshot = await this.look()
      missing = [...loadMissing(agent.id, snapshot), ...shapeMissing(own, snapshot)]
      return missing.length === 0 || undefined
    })
    if (seen) return
    const log = await this.probe.systemLog()
    throw new CannotMeasureError(
      `Agent ${agent.id} was deployed, but its ${missing.join(', ')} did not appear within ${deployDeadlineMs / 1000} s. ${log}`,
    )
  }

  /** Starts a process that belongs to no agent and has to be there afterwards. */
  async plant(command: string[], env?: Record<string, string>): Promise<ProcessIdentity> {
    const planted = await this.probe.plant(command, env)
    await this.widenBaseline()
    return planted
  }

  /** The snapshot that everything is compared with: taken once, before the first agent, however many ask at once. */
  baseline(): Promise<Snapshot> {
    this.#baseline ??= stableBaseline(() => this.look())
    return this.#baseline
  }

  /**
   * From now on whatever is there and belongs to no agent, or to this one, has to be there afterwards. Nothing
   * to do before the first deploy: the baseline is not taken yet. `joins`: what of nobody's it is about.
   * @throws after the first ending, when what it left behind would pass for something innocent.
   */
  async widenBaseline(agent?: Agent, joins: (one: Resource) => boolean = () => true): Promise<void> {
    if (this.#endedAt)
      throw new Error(
        'An agent has ended already: let agents stay, and plant bystanders, before the first ending.',
      )
    if (!this.#baseline) return
    const stays = (one: Resource) => !isNudge(one) && (one.owner ? one.owner.agent === agent?.id : joins(one))
    const now = await this.comesToRest(stays)
    const staying = now.resources.filter(stays)
    const before = (await this.#baseline).resources.filter(({ kind }) => kind !== 'registry')
    const known = new Set(before.map(({ id }) => id))
    const added = staying.filter(({ id }) => !known.has(id))
    this.#baseline = Promise.resolve({ ...now, resources: [...before, ...added] })
  }

  /**
   * A claude that has just come to rest still has a child or two on their way out. `which`: what has to come
   * to rest; an agent that forks all the time never does.
   */
  comesToRest(which: (one: Resource) => boolean = () => true): Promise<Snapshot> {
    return stableBaseline(async () => {
      const snapshot = await this.look()
      return { ...snapshot, resources: snapshot.resources.filter(which) }
    }, 450)
  }

  /** An ending begins now: the time to the baseline counts from the last one. */
  ending(): void {
    this.#endedAt = Date.now()
  }

  /**
   * Waits for the baseline, or until it is clear that it will not come, and keeps the verdict.
   * @throws CannotMeasureError when the sandbox could not be read.
   */
  async settle(patience: Patience = defaultPatience, expected?: Expected): Promise<Verdict> {
    if (this.#agents.length === 0)
      throw new CannotMeasureError('Nothing was deployed, so nothing was measured.')
    const instruments = { look: () => this.look(), countByPs: () => this.probe.countByPs() }
    const baseline = expected?.baseline ?? (await this.baseline())
    const known = { ...(await this.#known()), ...(expected && { mayBeNew: expected.mayBeNew }) }
    const verdict = await settle(instruments, this.#excuses.without(baseline), known, patience)
    verdict.notes.push(...this.#excuses.notes(this.lastSnapshot?.resources ?? []))
    this.verdicts.push(verdict)
    return verdict
  }

  async #known(): Promise<Known> {
    const tasks = await Promise.all(this.#agents.map(agent => agent.foregroundTasks()))
    return {
      foregroundTasks: new Set(tasks.flat()),
      agents: this.#agents.map(({ id }) => id),
      endedAt: this.#endedAt ?? Date.now(),
      system: this.#ownProcesses,
      excused: one => this.#excuses.covers(one),
    }
  }

  /** Leaves out of the verdict what is this now, or was so at the baseline; see `Excuses`. */
  async excuse(why: string, which: (one: Resource) => boolean): Promise<void> {
    const { resources } = await this.look()
    this.#excuses.add(why, [...(await this.baseline()).resources, ...resources].filter(which))
  }

  /** What is not as it was in the baseline at this moment, whatever becomes of it. */
  async difference(): Promise<Difference> {
    const baseline = this.#excuses.without(await this.baseline())
    return compare(baseline, await this.look(), await this.#known())
  }

  /** The processes that the system itself started, before its first agent. */
  isOwnProcess(one: Resource): boolean {
    return this.#ownProcesses.has(one.id)
  }

  get taskId(): string {
    return this.#taskId
  }

  /**
   * The sentence with which the system refuses a call.
   * @throws AssertionError when it does not refuse.
   */
  async refusal(name: string, args: Record<string, unknown>): Promise<string> {
    const { isError, content } = await this.probe.callTool(name, args)
    const said = (content as { error?: unknown })?.error ?? content
    if (isError) return typeof said === 'string' ? said : JSON.stringify(said)
    throw new AssertionError({
      message: `${name} was to be refused, and was answered ${JSON.stringify(content)}`,
    })
  }

  /** Whether a program is on the PATH of the sandbox. */
  async has(program: string): Promise<boolean> {
    const { code } = await this.probe.run(['sh', '-c', 'command -v "$1"', 'sh', program])
    return code === 0
  }

  /** A snapshot of the sandbox; ten who ask at once share one. */
  look(): Promise<Snapshot> {
    return this.#lookout.look()
  }

  /** The last that was seen: it is on this side, also when the sandbox is gone. */
  get lastSnapshot(): Snapshot | undefined {
    return this.#lookout.last
  }

  get agents(): readonly Agent[] {
    return this.#agents
  }
}

/** A fake claude at rest has it as a child for a moment (fake-claude/README.md): on a busy machine, for longer than we look. */
function isNudge(one: Resource): boolean {
  return one.kind === 'process' && one.command === 'sleep 0.3'
}
