import { fill, fillAll, fillShell, MissingValue } from '../definition/placeholders.ts'
import type { PlannedCall, System } from '../definition/system.ts'
import { CannotMeasureError } from '../errors.ts'
import { jsonOrText } from '../json.ts'
import { Limit } from '../limit.ts'
import { poll } from '../poll.ts'
import type { CallAnswer, ProbeApi, ReadyCall } from '../probe/api.ts'
import { cleanupLog, type SandboxFolders } from '../probe/places.ts'
import { failureIn, valuesIn } from './answer-values.ts'
import { SystemFailure } from './system-failure.ts'

export type Values = Record<string, string>

/** What the answers of a call's steps name, and the whole of the last one. */
export interface StepsAnswer {
  values: Values
  content: unknown
}

/** Makes the calls of a definition: fills in values, waits for answers, and reads values out of them. */
export class SystemCalls {
  readonly #probe: ProbeApi
  readonly #places: SandboxFolders
  readonly #definition: System

  constructor(probe: ProbeApi, places: SandboxFolders, definition: System) {
    this.#probe = probe
    this.#places = places
    this.#definition = definition
  }

  /**
   * Makes the steps of a call, one after another. `name` says which call it is in the definition; `env` is for shell commands.
   * @throws SystemFailure when the system does not answer in time, or answers with a failure
   */
  async carryOut(steps: PlannedCall[], name: string, given: Values, env: Values = {}): Promise<StepsAnswer> {
    const values: Values = {}
    let content: unknown
    for (const [at, call] of steps.entries()) {
      const step = steps.length > 1 ? `${name}[${at}]` : name
      const all = { ...given, ...values }
      const found =
        call.kind === 'read' ? await this.#read(call, step, all) : await this.#call(call, step, all, env)
      content = found.content
      Object.assign(values, found.values)
    }
    return { values, content }
  }

  /** The answer to a call of which a refusal is no failure. */
  answer(call: PlannedCall, name: string, given: Values, env: Values = {}): Promise<CallAnswer> {
    return this.ask(this.#ready(call, name, given, env), name)
  }

  /** @throws SystemFailure when there is no answer in time */
  ask(call: ReadyCall, name: string): Promise<CallAnswer> {
    return this.within(call.timeoutMs, name, () => this.#probe.call(call))
  }

  async #call(call: PlannedCall, name: string, given: Values, env: Values): Promise<StepsAnswer> {
    const answer = await this.answer(call, name, given, env)
    const failure = answer.failure ?? failureIn(answer.content, call.failedWhen)
    if (failure !== undefined) {
      const isUnmarked = call.kind === 'tool' && answer.failure === undefined
      const note = isUnmarked
        ? ' that it does not mark as one (isError), so that its caller takes it for a success'
        : ''
      throw await this.#failure(`The system answered ${name} with a failure${note}: ${failure}`)
    }
    const found = valuesIn(answer.content, call)
    if ('missing' in found) throw await this.#failure(`The system’s answer to ${name} ${found.missing}`)
    return { values: found.values, content: answer.content }
  }

  /** A file that is being written may have nothing yet of what is looked for. */
  async #read(
    call: Extract<PlannedCall, { kind: 'read' }>,
    name: string,
    given: Values,
  ): Promise<StepsAnswer> {
    const path = this.#filled(name, () => fill(call.read, given))
    let missing = 'is not there'
    const read = await poll(call.timeoutMs, async () => {
      const text = await this.#probe.read(path)
      if (text === undefined) return undefined
      const content = jsonOrText(text)
      const found = valuesIn(content, call)
      if ('missing' in found) missing = found.missing
      return 'values' in found ? { values: found.values, content } : undefined
    })
    if (read) return read
    throw await this.#failure(`The file ${path}, which ${name} reads, ${missing}`)
  }

  #ready(call: PlannedCall, name: string, values: Values, env: Values): ReadyCall {
    const { timeoutMs } = call
    return this.#filled(name, () => {
      if (call.kind === 'tool')
        return { kind: 'tool', tool: call.tool, args: fillAll(call.args, values), timeoutMs }
      if (call.kind === 'function')
        return { kind: 'function', module: call.module, path: call.path, given: values, timeoutMs }
      if (call.kind === 'read') throw new Error(`${name} reads a file, and calls nothing.`)
      return {
        kind: 'shell',
        run: fillShell(call.run, values),
        cwd: call.cwd ? fill(call.cwd, values) : this.#places.work,
        env: {
          ...cleanupLog(this.#places),
          ...fillAll({ ...this.#definition.env, ...call.env }, values),
          ...env,
        },
        timeoutMs,
      }
    })
  }

  #filled<T>(name: string, make: () => T): T {
    try {
      return make()
    } catch (error) {
      if (!(error instanceof MissingValue)) throw error
      throw new CannotMeasureError(
        `The call ${name} of the system ${this.#definition.name} needs {${error.missing}}, and nothing has given it: let the result of an earlier call name it.`,
      )
    }
  }

  /** @throws SystemFailure with what the system wrote, when it takes longer than that, ms */
  async within<T>(ms: number, name: string, happens: () => Promise<T>): Promise<T> {
    const limit = new Limit(ms)
    return limit.during(async tooLate => {
      const { promise, reject } = Promise.withResolvers<never>()
      tooLate.onabort = () => {
        const late = `The system did not answer ${name} within ${limit.elapsed}`
        void this.#failure(late).then(reject)
      }
      return Promise.race([happens(), promise])
    })
  }

  async #failure(sentence: string): Promise<SystemFailure> {
    return new SystemFailure(sentence, await this.#probe.systemOutput().catch(String))
  }
}
