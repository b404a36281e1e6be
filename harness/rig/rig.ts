import { CannotMeasureError } from '../errors.ts'
import { poll } from '../poll.ts'
import type { SystemCommand } from '../probe/api.ts'
import type { ProcessIdentity } from '../snapshot/snapshot.ts'
import { Agent, type AgentFacts } from './agent.ts'
import { type Directive, directiveText } from './directive.ts'
import { SystemUnderTest } from './system-under-test.ts'
import { waitUntilRunning } from './wait-until-running.ts'

/** What a deploy asks for: a persona of the fake claude with its parameters, the type that its id begins with, and a prompt. */
export interface DeployOptions extends Directive {
  type?: string
  /** What the prompt says besides the directive. */
  text?: string
}

const sessionDeadlineMs = 20_000

/**
 * One system under test in one sandbox, and everything the rig knows about the two. A scenario deploys
 * agents through it, ends them, and asks whether the sandbox is back at the baseline.
 */
export class Rig extends SystemUnderTest {
  #taskId = ''

  /** Starts the system and creates the one task that the scenario's agents belong to. */
  async start(system: SystemCommand): Promise<void> {
    await this.startSystem(system)
    const { task_id } = await this.callTool('create_real_task', { description: 'A scenario of leakrig' })
    this.#taskId = String(task_id)
  }

  /**
   * Deploys an agent and waits until all that it consists of was seen running. Otherwise its absence afterwards would
   * prove nothing.
   */
  async deploy(options: DeployOptions): Promise<Agent> {
    const agent = await this.launch(options)
    await waitUntilRunning(agent)
    return agent
  }

  /** Waits as `deploy` does, for an agent that was only launched. */
  waitUntilRunning(agent: Agent): Promise<void> {
    return waitUntilRunning(agent)
  }

  /** Deploys an agent without waiting until it runs; `waitUntilRunning` does that. */
  async launch({ type = 'worker', text, ...directive }: DeployOptions): Promise<Agent> {
    await this.baseline()
    const { prompt, ...files } = this.#prepareDirective(directive, text)
    const { agent_id, tmux_session } = await this.callTool('deploy_headless_agent', {
      task_id: this.#taskId,
      agent_type: type,
      prompt,
    })
    return this.#register({ id: String(agent_id), session: String(tmux_session), directive, ...files })
  }

  /**
   * Deploys an agent by a system that dies before it can answer. The new session is the agent's: the report names
   * sessions `agent_<id>`.
   * @throws CannotMeasureError when the system answers, or no new session appears
   */
  async launchHalfDeployed({ type = 'worker', ...directive }: DeployOptions): Promise<Agent> {
    const before = new Set((await this.baseline()).resources.map(({ id }) => id))
    const { prompt, ...files } = this.#prepareDirective(directive)
    const call = { task_id: this.#taskId, agent_type: type, prompt }
    const answered = await this.callTool('deploy_headless_agent', call).catch(() => undefined)
    if (answered)
      throw new CannotMeasureError('The system answered a deploy during which it should have died.')
    const session = await poll(sessionDeadlineMs, async () => {
      const { resources } = await this.snapshot()
      return resources.find(
        one => one.kind === 'session' && one.name.startsWith('agent_') && !before.has(one.id),
      )
    })
    if (session?.kind !== 'session') throw new CannotMeasureError('The system died before it deployed.')
    return this.#register({
      id: session.name.slice('agent_'.length),
      session: session.name,
      directive,
      ...files,
    })
  }

  /** An agent's journal, its gate, and the prompt that names both to the fake claude. */
  #prepareDirective(directive: Directive, text = 'Do what you are told.') {
    const key = `${this.deployedCount}-${Math.random().toString(36).slice(2, 8)}`
    const files = { journal: `${this.places.own}/${key}.ndjson`, gate: `${this.places.own}/${key}.gate` }
    return { ...files, prompt: `${text} ${directiveText({ ...directive, ...files })}` }
  }

  async #register(facts: Omit<AgentFacts, 'taskId'>): Promise<Agent> {
    const agent = new Agent(this, { ...facts, taskId: this.#taskId })
    this.measure(agent)
    await this.probe.registerAgent({ id: agent.id, session: agent.session })
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
}
