import { AssertionError } from 'node:assert'
import { programFile, projectRoot } from '../../bin/programs.ts'
import { fill, fillAll, fillShell, MissingValue } from '../definition/placeholders.ts'
import type { PlannedCall, System } from '../definition/system.ts'
import { CannotMeasureError } from '../errors.ts'
import { Limit } from '../limit.ts'
import type { CallAnswer, ProbeApi, ReadyCall, SystemPrograms } from '../probe/api.ts'
import type { SandboxFolders } from '../probe/places.ts'
import type { ProcessIdentity } from '../snapshot/snapshot.ts'
import { failureIn, valuesIn } from './answer-values.ts'
import { Measurement } from './measurement.ts'
import { SystemFailure } from './system-failure.ts'

type Values = Record<string, string>

/** How long a program of the system may take to start, ms. */
const startsWithinMs = 60_000
const toolTimeoutMs = 60_000

/** A caller that takes their failure for a success leaves an agent behind. */
const endsAgents = new Set(['kill', 'completes.outside', 'recover'])

/** The calls that a definition may have, by their field. */
export type Role = 'deploy' | 'kill' | 'outside' | 'recover'

/** What an answer names, and the whole of it. */
export interface RoleAnswer {
  values: Values
  content: unknown
}

const fields: Record<Role, string> = {
  deploy: 'deploy',
  kill: 'kill',
  outside: 'completes.outside',
  recover: 'recover',
}

/** The system under test in its sandbox: its programs, and the calls that its definition has. */
export class SystemUnderTest extends Measurement {
  readonly places: SandboxFolders
  readonly definition: System
  /** Expectations beside the baseline that were not met, in sentences. */
  readonly unmet: string[] = []
  /** What the scenario expected and the system does not declare, in sentences: it was not checked. */
  readonly leftOut = new Set<string>()
  /** What the results of the `prepare` calls named, and the folders. */
  values: Values
  #process: ProcessIdentity | undefined

  constructor(probe: ProbeApi, places: SandboxFolders, definition: System) {
    super(probe, definition.keeps)
    this.places = places
    this.definition = definition
    const { work, home, node } = places
    this.values = { work, home, node, project: definition.project ?? projectRoot }
  }

  /** Starts the system and makes the calls that prepare its scenario. Agents can be deployed afterwards. */
  async start(): Promise<void> {
    await this.startSystem()
    for (const [at, call] of this.definition.prepare.entries())
      this.values = { ...this.values, ...(await this.carryOut(call, `prepare[${at}]`, {})).values }
    await this.noteOwnProcesses()
  }

  /** Starts the system's programs, or starts them again after they were killed. Tasks and agents stay. */
  async startSystem(definition = this.definition): Promise<ProcessIdentity | undefined> {
    const programs = this.#programs(definition)
    this.#process = await this.#within(startsWithinMs, 'its start', () => this.probe.startSystem(programs))
    await this.noteOwnProcesses()
    return this.#process
  }

  #programs({ server, env, ...calls }: System): SystemPrograms {
    const { work, node } = this.places
    const known = this.values
    const [command = '', ...args] = fillAll(server?.command ?? [], known)
    const usesFunctions = [...calls.prepare, calls.deploy, calls.kill, calls.outside, calls.recover].some(
      call => call?.kind === 'function',
    )
    const common = { env: fillAll(env, known), cwd: work }
    return {
      ...(server && {
        mcp: {
          command,
          args,
          env: { ...common.env, ...fillAll(server.env, known) },
          cwd: server.cwd ? fill(server.cwd, known) : work,
        },
      }),
      ...(usesFunctions && { functions: { command: node, args: [programFile('module-host')], ...common } }),
    }
  }

  /** The process of the system that was started last. @throws where the system has none */
  get system(): ProcessIdentity {
    if (!this.#process)
      throw new CannotMeasureError(`The system ${this.definition.name} has no process of its own.`)
    return this.#process
  }

  /**
   * Makes a call of the definition, and returns what its answer names. `env` is for a shell command.
   * @throws CannotMeasureError when the system does not have it, does not answer in time, or answers with a failure
   */
  async callRole(role: Role, given: Values, env: Values = {}): Promise<RoleAnswer> {
    const call = this.#declared(role)
    const withEnv = call.kind === 'shell' ? { ...call, env: { ...call.env, ...env } } : call
    return this.carryOut(withEnv, fields[role], given)
  }

  /** After a crash: makes the call that cleans up after one, where the system declares it. */
  async recover(): Promise<void> {
    if (this.definition.recover) await this.callRole('recover', {})
    else if (!this.definition.recoversByItself) this.leaveOut('a cleanup after the crash', 'recover')
  }

  #declared(role: Role): PlannedCall {
    const call = this.definition[role]
    if (call) return call
    throw new CannotMeasureError(
      `The system ${this.definition.name} declares no ${fields[role]}, and the scenario needs it.`,
    )
  }

  /** Makes a call. `name` says which one it is in the definition. */
  protected async carryOut(call: PlannedCall, name: string, given: Values): Promise<RoleAnswer> {
    const values = { ...this.values, ...given }
    const answer = await this.#answer(this.#ready(call, name, values), name)
    const failure = answer.failure ?? failureIn(answer.content)
    if (failure !== undefined && answer.failure === undefined && call.kind === 'tool' && endsAgents.has(name))
      this.unmet.push(
        `${name} answered with a failure that it did not mark as one (isError), so its caller takes it for a success: ${failure}`,
      )
    if (failure !== undefined)
      throw new SystemFailure(
        `The system answered ${name} with a failure: ${failure}`,
        await this.probe.systemOutput(),
      )
    const found = valuesIn(answer.content, call)
    if ('missing' in found)
      throw new SystemFailure(
        `The system’s answer to ${name} ${found.missing}`,
        await this.probe.systemOutput(),
      )
    return { values: found.values, content: answer.content }
  }

  #ready(call: PlannedCall, name: string, values: Values): ReadyCall {
    const { timeoutMs } = call
    try {
      if (call.kind === 'tool')
        return { kind: 'tool', tool: call.tool, args: fillAll(call.args, values), timeoutMs }
      if (call.kind === 'function')
        return { kind: 'function', module: call.module, path: call.path, given: values, timeoutMs }
      return {
        kind: 'shell',
        run: fillShell(call.run, values),
        cwd: call.cwd ? fill(call.cwd, values) : this.places.work,
        env: fillAll({ ...this.definition.env, ...call.env }, values),
        timeoutMs,
      }
    } catch (error) {
      if (!(error instanceof MissingValue)) throw error
      throw new CannotMeasureError(
        `The call ${name} of the system ${this.definition.name} needs {${error.missing}}, and nothing has given it: let the result of an earlier call name it.`,
      )
    }
  }

  #answer(call: ReadyCall, name: string): Promise<CallAnswer> {
    return this.#within(call.timeoutMs, name, () => this.probe.call(call))
  }

  /** @throws SystemFailure with what the system wrote, when it takes longer than that, ms */
  async #within<T>(ms: number, name: string, happens: () => Promise<T>): Promise<T> {
    const limit = new Limit(ms)
    return limit.during(async tooLate => {
      const { promise, reject } = Promise.withResolvers<never>()
      tooLate.onabort = async () => {
        const output = await this.probe.systemOutput().catch(() => '')
        reject(new SystemFailure(`The system did not answer ${name} within ${limit.elapsed}`, output))
      }
      return Promise.race([happens(), promise])
    })
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
    return this.#answer({ kind: 'tool', tool, args, timeoutMs: toolTimeoutMs }, tool)
  }

  /**
   * The sentence with which the system refuses a call of a tool.
   * @throws AssertionError when it does not refuse
   */
  async refusal(name: string, args: Record<string, unknown>): Promise<string> {
    return this.#refusalIn(await this.askTool(name, args), name)
  }

  /** The same for a call of the definition. */
  async roleRefusal(role: Role, given: Values): Promise<string> {
    const call = this.#declared(role)
    const ready = this.#ready(call, fields[role], { ...this.values, ...given })
    return this.#refusalIn(await this.#answer(ready, fields[role]), fields[role])
  }

  #refusalIn({ failure, content }: CallAnswer, name: string): string {
    const sentence = (content as { error?: unknown })?.error ?? content
    if (failure !== undefined) return typeof sentence === 'string' ? sentence : JSON.stringify(sentence)
    throw new AssertionError({
      message: `expected the system to refuse ${name}, and it answered ${JSON.stringify(content)}`,
    })
  }

  /** Notes that something was not done or checked, because the definition lacks a field. The report lists it. */
  leaveOut(what: string, field: string): void {
    this.leftOut.add(`${what}: the system declares no ${field}`)
  }

  /** Whether a program is on the PATH of the sandbox. */
  async has(program: string): Promise<boolean> {
    const { code } = await this.probe.run(['sh', '-c', 'command -v "$1"', 'sh', program])
    return code === 0
  }
}
