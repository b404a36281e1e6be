import { AssertionError } from 'node:assert'
import { poll } from '../poll.ts'
import type { Places, ProbeApi, ProcessIdentity, SystemCommand } from '../probe/api.ts'
import { CannotMeasureError } from '../sandbox/sandbox.ts'
import { Agent, type AgentFacts } from './agent.ts'
import { type Directive, directiveText } from './directive.ts'
import { Measurement } from './measurement.ts'
import { seeAtWork } from './wait-until-running.ts'

/** What a deploy asks for: a persona of fake Claude with its parameters, and the type that its id begins with. */
export interface DeployOptions extends Directive {
  type?: string
}

const sessionDeadlineMs = 20_000

/**
 * One system under test in one sandbox, and everything the rig knows about the two. A scenario deploys
 * agents through it, ends them, and asks whether the sandbox is back at the baseline.
 */
export class Rig extends Measurement {
  readonly places: Places
  /** Expectations beside the baseline that were not met, in sentences. */
  readonly unmet: string[] = []
  #taskId = ''
  #command: SystemCommand | undefined
  #system: ProcessIdentity | undefined

  constructor(probe: ProbeApi, places: Places) {
    super(probe)
    this.places = places
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
    await this.noteOwnProcesses()
    return this.#system
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
    await seeAtWork(agent)
    return agent
  }

  /** Waits until an agent that was only launched is at work, and has been seen to be. */
  seeAtWork(agent: Agent): Promise<void> {
    return seeAtWork(agent)
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
    const session = await poll(sessionDeadlineMs, async () => {
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
    const key = `${this.known.length}-${Math.random().toString(36).slice(2, 8)}`
    const files = { journal: `${this.places.own}/${key}.ndjson`, gate: `${this.places.own}/${key}.gate` }
    return { ...files, prompt: `Do what you are told. ${directiveText({ ...directive, ...files })}` }
  }

  async #meet(facts: Omit<AgentFacts, 'taskId'>): Promise<Agent> {
    const agent = new Agent(this, { ...facts, taskId: this.#taskId })
    this.known.push(agent)
    await this.probe.knowAgent({ id: agent.id, session: agent.session })
    return agent
  }

  /** Starts a process that belongs to no agent and has to be there afterwards. */
  async plant(command: string[], env?: Record<string, string>): Promise<ProcessIdentity> {
    const planted = await this.probe.plant(command, env)
    await this.widenBaseline()
    return planted
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
}
