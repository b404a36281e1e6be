import { AssertionError } from 'node:assert'
import { programFile, projectRoot } from '../../bin/programs.ts'
import { fill, fillAll } from '../definition/placeholders.ts'
import { type PlannedCall, patternOf, type System } from '../definition/system.ts'
import { CannotMeasureError } from '../errors.ts'
import type { CallAnswer, ProbeApi, SystemPrograms } from '../probe/api.ts'
import { cleanupLog, type SandboxFolders } from '../probe/places.ts'
import type { ProcessIdentity } from '../snapshot/snapshot.ts'
import { Measurement } from './measurement.ts'
import { type StepsAnswer, SystemCalls, type Values } from './system-calls.ts'
import { SystemFailure } from './system-failure.ts'

/** How long a program of the system may take to start, ms. */
const startsWithinMs = 60_000
const toolTimeoutMs = 60_000
/** How much of the log of cleanups is read, bytes: the last part. */
const mostOfLog = 4_000_000

/** The calls about an agent that a definition may have, and their fields. */
const fields = {
  deploy: 'deploy',
  kill: 'kill',
  outside: 'completes.outside',
  exit: 'completes.exit',
  recover: 'recover',
} as const
export type Role = keyof typeof fields

/** The system under test in its sandbox: its programs, and the calls that its definition has. */
export class SystemUnderTest extends Measurement {
  readonly places: SandboxFolders
  readonly definition: System
  /** Expectations beside the baseline that were not met, in sentences. */
  readonly unmet: string[] = []
  /** The failures that the system answered to calls that end agents, in sentences. */
  readonly failures: string[] = []
  /** What the scenario expected and the system does not declare, in sentences: it was not checked. */
  readonly leftOut = new Set<string>()
  /** The folders, and what the results of the `prepare` calls named. */
  values: Values
  readonly #calls: SystemCalls
  #process: ProcessIdentity | undefined

  constructor(probe: ProbeApi, places: SandboxFolders, definition: System) {
    super(probe, definition.keeps)
    this.places = places
    this.definition = definition
    this.#calls = new SystemCalls(probe, places, definition)
    const { work, home, node, install } = places
    const project = definition.project ?? projectRoot
    this.values = { work, home, node, project, ...(install !== undefined && { install }) }
  }

  /** Starts the system and makes the calls that prepare its scenario. Agents can be deployed afterwards. */
  async start(): Promise<void> {
    await this.timeline.during('start the system', () => this.startSystem())
    const { values } = await this.timeline.during('prepare', () =>
      this.#calls.carryOut(this.definition.prepare, 'prepare', this.values),
    )
    // The folders stay what they are, whatever a function calls what it returns.
    this.values = { ...values, ...this.values }
    await this.noteOwnProcesses()
  }

  /** Starts the system's programs, or starts them again after they were killed. Tasks and agents stay. */
  async startSystem(definition = this.definition): Promise<ProcessIdentity | undefined> {
    const programs = this.#programs(definition)
    this.#process = await this.#calls.within(startsWithinMs, 'its start', () =>
      this.probe.startSystem(programs).catch(error => this.#cannotStart(error)),
    )
    await this.noteOwnProcesses()
    return this.#process
  }

  #programs({ server, env, ...calls }: System): SystemPrograms {
    const { work, node } = this.places
    const [command = '', ...args] = fillAll(server?.command ?? [], this.values)
    const { prepare, deploy, kill = [], outside = [], exit = [], recover = [] } = calls
    const usesFunctions = [...prepare, ...deploy, ...kill, ...outside, ...exit, ...recover].some(
      ({ kind }) => kind === 'function',
    )
    const common = { env: { ...cleanupLog(this.places), ...fillAll(env, this.values) }, cwd: work }
    return {
      ...(server && {
        mcp: {
          command,
          args,
          env: { ...common.env, ...fillAll(server.env, this.values) },
          cwd: server.cwd ? fill(server.cwd, this.values) : work,
        },
      }),
      ...(usesFunctions && { functions: { command: node, args: [programFile('module-host')], ...common } }),
    }
  }

  /** The probe's errors come as plain ones. */
  async #cannotStart(error: Error): Promise<never> {
    if (error instanceof CannotMeasureError) throw error
    throw new SystemFailure(error.message, await this.probe.systemOutput())
  }

  /** Notes the signals that the system logged, where it is or has the bundled cleanup. A sandbox that has died says nothing. */
  async noteSignals(): Promise<void> {
    const [file] = Object.values(cleanupLog(this.places))
    const log = file && (await this.probe.tail(file, mostOfLog).catch(() => undefined))
    if (log) this.timeline.addSignals(log)
  }

  /** The process of the system that was started last. @throws where the system has none */
  get system(): ProcessIdentity {
    if (this.#process) return this.#process
    throw new CannotMeasureError(`The system ${this.definition.name} has no process of its own.`)
  }

  /** The persona of an agent that completes. One whose exit is its completion must not stay for a background task. */
  get personaToComplete(): string {
    return this.definition.exit ? 'exits' : 'completes'
  }

  /**
   * Makes a call of the definition, with these values besides the prepared ones. `env` is for a shell command.
   * @throws CannotMeasureError when the system does not declare it
   * @throws SystemFailure when it does not answer in time, or answers with a failure
   */
  async callRole(role: Role, given: Values, env: Values = {}): Promise<StepsAnswer> {
    return this.#calls.carryOut(this.#declared(role), fields[role], { ...this.values, ...given }, env)
  }

  /**
   * Makes a call that ends an agent, or cleans up after its end. A failure is an expectation that is not met, and what is left
   * afterwards is measured all the same. The system's answer, or undefined.
   */
  async callEnding(role: Exclude<Role, 'deploy'>, given: Values): Promise<unknown> {
    try {
      return (await this.callRole(role, given)).content
    } catch (error) {
      if (!(error instanceof SystemFailure)) throw error
      this.failures.push(error.message)
      this.unmet.push(error.message)
      return undefined
    }
  }

  /** After a crash: makes the call that cleans up after one, where the system declares it. `given` is known of the agent. */
  async recover(given: Values): Promise<void> {
    if (this.definition.recover) await this.callEnding('recover', given)
    else if (!this.definition.recoversByItself) this.leaveOut('a cleanup after the crash', 'recover')
  }

  #declared(role: Role): PlannedCall[] {
    const call = this.definition[role]
    if (call) return call
    throw new CannotMeasureError(
      `The system ${this.definition.name} declares no ${fields[role]}, and the scenario needs it.`,
    )
  }

  /**
   * The sentence with which the system refuses the first step of a call.
   * @throws AssertionError when it does not refuse
   */
  async roleRefusal(role: Role, given: Values): Promise<string> {
    const [call] = this.#declared(role)
    const answer = await this.#calls.answer(call as PlannedCall, fields[role], { ...this.values, ...given })
    return refusalIn(answer, fields[role])
  }

  /** The agents that the system takes for live, as it names them; undefined where it declares no list. */
  async listed(): Promise<string[] | undefined> {
    const { list } = this.definition
    if (!list) return undefined
    const { content, failure } = await this.#calls.answer(list.call, 'list', this.values)
    if (failure !== undefined)
      throw new CannotMeasureError(`The system answered list with a failure: ${failure}`)
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    const { source, flags } = patternOf(list.each)
    return [...text.matchAll(new RegExp(source, `${flags}g`))].flatMap(({ groups }) => groups?.id ?? [])
  }

  /**
   * Calls a tool of the system's MCP server.
   * @throws CannotMeasureError when the system answers with an error
   */
  async callTool(name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
    const { failure, content } = await this.askTool(name, args)
    if (failure !== undefined || typeof content !== 'object' || content === null)
      throw new CannotMeasureError(`The system answered ${name} with an error: ${JSON.stringify(content)}.`)
    return content as Record<string, unknown>
  }

  /** Calls a tool, whatever it answers. */
  askTool(tool: string, args: Record<string, unknown>): Promise<CallAnswer> {
    return this.#calls.ask({ kind: 'tool', tool, args, timeoutMs: toolTimeoutMs }, tool)
  }

  /**
   * The sentence with which the system refuses a call of a tool.
   * @throws AssertionError when it does not refuse
   */
  async refusal(name: string, args: Record<string, unknown>): Promise<string> {
    return refusalIn(await this.askTool(name, args), name)
  }

  /** Notes that something was not done or checked, because the definition lacks a field. The report lists it. */
  leaveOut(what: string, field: string): void {
    this.leftOut.add(`${what} (${field})`)
  }

  /** Whether a program is on the PATH of the sandbox. */
  async has(program: string): Promise<boolean> {
    const { code } = await this.probe.run(['sh', '-c', 'command -v "$1"', 'sh', program])
    return code === 0
  }
}

function refusalIn({ failure, content }: CallAnswer, name: string): string {
  const sentence = (content as { error?: unknown })?.error ?? content
  if (failure !== undefined) return typeof sentence === 'string' ? sentence : JSON.stringify(sentence)
  throw new AssertionError({
    message: `expected the system to refuse ${name}, and it answered ${JSON.stringify(content)}`,
  })
}
