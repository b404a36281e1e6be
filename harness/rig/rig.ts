import { fillShell } from '../definition/placeholders.ts'
import { CannotMeasureError } from '../errors.ts'
import { poll } from '../poll.ts'
import type { ProcessIdentity, Snapshot } from '../snapshot/snapshot.ts'
import { Agent, type AgentFacts } from './agent.ts'
import { type Directive, directiveText } from './directive.ts'
import { noteForeignSession } from './foreign-session.ts'
import { SystemUnderTest } from './system-under-test.ts'
import { waitUntilRunning, waitUntilStarted } from './wait-until-running.ts'

/** What a deploy asks for: a persona of the fake claude with its parameters, the agent's type, and a prompt. */
export interface DeployOptions extends Directive {
  /** What the system calls the kind of the agent; the id of ours begins with it. */
  type?: string
  /** What the prompt says besides the directive. */
  text?: string
}

/** What an agent is told, and the files by which the rig follows and leads it. */
type Prepared = Pick<AgentFacts, 'directive' | 'files'> & {
  /** The whole directive, with the files. */
  words: string
}

const sessionDeadlineMs = 20_000

/**
 * One system under test in one sandbox, and everything the rig knows about the two. A scenario deploys
 * agents through it, ends them, and asks whether the sandbox is back at the baseline.
 */
export class Rig extends SystemUnderTest {
  /** Sessions that were there when the system was ready: the system's own. Every other one of the baseline is a user's. */
  #ownSessions: Promise<Set<string>> | undefined
  #deploys: Promise<unknown> = Promise.resolve()

  override async start(): Promise<void> {
    await super.start()
    this.#ownSessions = this.snapshot().then(sessionsIn)
    await this.#ownSessions
  }

  /**
   * Deploys an agent and waits until all that it consists of was seen running. Otherwise its absence afterwards would
   * prove nothing.
   */
  async deploy(options: DeployOptions): Promise<Agent> {
    const agent = await this.launch(options)
    await this.waitUntilRunning(agent)
    return agent
  }

  /** Waits as `deploy` does, for an agent that was only launched. */
  async waitUntilRunning(agent: Agent): Promise<void> {
    await this.timeline.during('comes to work', () => waitUntilRunning(agent), agent.id)
    await noteForeignSession(agent, (await this.#ownSessions) ?? new Set())
  }

  /** Deploys an agent without waiting until it runs; `waitUntilRunning` does that. */
  async launch(options: DeployOptions): Promise<Agent> {
    await this.baseline()
    const prepared = await this.#prepareAgent(options)
    if (this.definition.directives !== 'orders') return this.#launch(options, prepared)
    // Whoever starts next claims the order, so one agent is launched after another.
    const launched = this.#deploys.then(async () => {
      const agent = await this.#launch(options, prepared)
      await waitUntilStarted(agent)
      return agent
    })
    this.#deploys = launched.catch(() => {})
    return launched
  }

  async #launch(options: DeployOptions, { words, ...prepared }: Prepared): Promise<Agent> {
    const { type = 'worker' } = options
    const { directives } = this.definition
    if (directives === 'orders') await this.#writeOrder(words)
    const { values } = await this.timeline.during('deploy', () =>
      this.callRole(
        'deploy',
        { prompt: this.#promptOf(options, words), type },
        directives === 'environment' ? { FAKE_CLAUDE_DIRECTIVE: words } : {},
      ),
    )
    return this.#register({ ...prepared, values: { ...values, type } })
  }

  /** Under another name first, because a claude that starts may claim whatever is there. */
  async #writeOrder(words: string): Promise<void> {
    const folder = `${this.places.own}/orders`
    await this.probe.write(`${folder}/.next`, words)
    await this.probe.run(['mv', `${folder}/.next`, `${folder}/${this.deployedCount + 1}`])
  }

  /** The prompt of an agent. It has the directive, unless the fake claude gets that in another way. */
  #promptOf({ text = 'Do what you are told.' }: DeployOptions, words: string): string {
    return this.definition.directives === 'prompt' ? `${text} ${words}` : text
  }

  /** What an agent is told, with the files of its own. */
  async #prepareAgent({ type: _, text: __, ...directive }: DeployOptions): Promise<Prepared> {
    const key = `${this.deployedCount}-${Math.random().toString(36).slice(2, 8)}`
    const below = (ending: string) => `${this.places.own}/${key}.${ending}`
    const files = { journal: below('ndjson'), gate: below('gate'), completion: below('completion') }
    const { onStart } = this.definition
    const script = onStart && `${this.places.own}/on-start.sh`
    if (script) await this.probe.write(script, `${fillShell(onStart, this.values)}\n`)
    const words = directiveText({
      ...directive,
      ...files,
      ...(script && { 'on-start': script }),
    } as Directive)
    return { directive: directive as Directive, files, words }
  }

  /**
   * Deploys an agent by a system that dies before it can answer, and finds it by its new session.
   * @param values what a system's answer would have named, from the session's name
   * @throws CannotMeasureError when the system answers, or no new session appears
   */
  async launchHalfDeployed(
    options: DeployOptions,
    values: (session: string) => { id?: string },
  ): Promise<Agent> {
    const before = new Set((await this.baseline()).resources.map(({ id }) => id))
    const { words, ...prepared } = await this.#prepareAgent(options)
    const given = { prompt: this.#promptOf(options, words), type: options.type ?? 'worker' }
    const answered = await this.callRole('deploy', given).catch(() => undefined)
    if (answered)
      throw new CannotMeasureError('The system answered a deploy during which it should have died.')
    const session = await poll(sessionDeadlineMs, async () => {
      const { resources } = await this.snapshot()
      return resources.find(one => one.kind === 'session' && !before.has(one.id))
    })
    if (session?.kind !== 'session') throw new CannotMeasureError('The system died before it deployed.')
    return this.#register({ ...prepared, values: { ...values(session.name), session: session.name } })
  }

  /** From now on the agent belongs to the scenario. */
  async #register(facts: Omit<AgentFacts, 'number'>): Promise<Agent> {
    const agent = new Agent(this, { ...facts, number: this.deployedCount + 1 })
    this.refuseSecond(agent)
    this.measure(agent)
    const { session } = agent.values
    const before = await this.baseline()
    const isShared = before.resources.some(one => one.kind === 'session' && one.name === session)
    const own = session !== undefined && this.definition.tmux === 'session' && !isShared
    await this.probe.registerAgent({ id: agent.id, ...(own && { session }) })
    return agent
  }

  /** Starts a process that belongs to no agent and has to be there afterwards. */
  async plant(command: string[], env?: Record<string, string>): Promise<ProcessIdentity> {
    const planted = await this.probe.plant(command, env)
    await this.widenBaseline()
    return planted
  }
}

const sessionsIn = ({ resources }: Snapshot): Set<string> =>
  new Set(resources.flatMap(one => (one.kind === 'session' ? one.id : [])))
