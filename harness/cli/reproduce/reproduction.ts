import { setTimeout as delay } from 'node:timers/promises'
import type { TestCase, Vitest } from 'vitest/node'
import { CannotMeasureError } from '../../errors.ts'
import { escapeRegExp } from '../../escape-regexp.ts'
import { readProcess } from '../../probe/processes.ts'
import type { ReproductionApi } from '../../reproduction/api.ts'
import { type Connection, connectTo, removeDeserted } from '../../reproduction/connect.ts'
import { removeSocket, socketFile } from '../../reproduction/state-folder.ts'
import type { RigSettings } from '../../rig/rig-settings.ts'
import type { SandboxTraces } from '../../sandbox/sandbox.ts'
import { leftOf } from '../../sandbox/traces.ts'
import { currentFolder } from '../current-folder.ts'
import { openVitest } from '../vitest.ts'
import type { Reproducible } from './reproducible.ts'

/** How long the end of the tests may take, ms. What has not ended then ends with this process. */
const endsWithinMs = 5_000

/** Why a test that was never held has failed, or was left out. */
class FailureReporter {
  failure: string | undefined

  onTestCaseResult(test: TestCase): void {
    const result = test.result()
    if (result.state === 'skipped') this.failure ??= result.note
    if (result.state === 'failed') this.failure = result.errors[0]?.message
  }

  onTestRunEnd(
    modules: readonly { errors(): { message: string }[] }[],
    unhandled: readonly { message: string }[],
  ) {
    const [first] = [...modules.flatMap(module => module.errors()), ...unhandled]
    this.failure ??= first?.message
  }
}

/** A scenario that runs, and is held at its end, in a process of Vitest. It ends with this process. */
export class Reproduction {
  readonly api: ReproductionApi
  /** Resolves when it is gone, whoever has ended it. */
  readonly ended: Promise<void>
  readonly #vitest: Vitest
  readonly #running: Promise<unknown>
  readonly #connection: Connection
  readonly #worker: number
  #traces: SandboxTraces = { processes: [] }

  private constructor(vitest: Vitest, running: Promise<unknown>, connection: Connection, worker: number) {
    this.#worker = worker
    this.#vitest = vitest
    this.#running = running
    this.#connection = connection
    this.api = connection.api
    this.ended = connection.ended
  }

  /**
   * Starts the test.
   * @throws CannotMeasureError when it fails before its system has started, or is left out
   */
  static async start(
    { name, project, test, shape, ending }: Reproducible,
    settings: Partial<RigSettings>,
  ): Promise<Reproduction> {
    // Sockets of those that were killed.
    await removeDeserted()
    const socket = socketFile(process.pid)
    // Whatever ends this process.
    process.once('exit', () => removeSocket(socket))
    const reporter = new FailureReporter()
    const pattern = ['-t', `^${escapeRegExp(test)}$`]
    const vitest = await openVitest(pattern, { projects: [project], reporter, workers: 1 })
    const hold = {
      socket,
      name,
      pid: process.pid,
      folder: currentFolder(),
      ...(shape !== undefined && { shape, ending: ending ?? '' }),
    }
    for (const one of vitest.projects) {
      one.provide('leakrig', { ...settings, hold })
      // It is held for as long as somebody looks at it.
      Object.assign(one.config, { testTimeout: 0, hookTimeout: 0 })
    }
    let isOver = false
    const running = vitest.start().finally(() => {
      isOver = true
    })
    running.catch(() => {})
    for (;;) {
      const connection = await connectTo(socket)
      if (connection) {
        const { worker } = await connection.api.about()
        return new Reproduction(vitest, running, connection, worker)
      }
      if (isOver) {
        await vitest.close()
        throw new CannotMeasureError(reporter.failure ?? `No test is called ${JSON.stringify(test)}.`)
      }
      await delay(50)
    }
  }

  /** Notes by what it can be checked that everything is gone: it may end without being asked. */
  async noteTraces(): Promise<void> {
    const { processes, ...container } = await this.api.traces()
    const known = new Map(
      [...this.#traces.processes, ...processes].map(one => [`${one.pid} ${one.start}`, one]),
    )
    this.#traces = { processes: [...known.values()], ...container }
  }

  /** Ends everything, and checks that it is gone. What is still there, in words. */
  async end(): Promise<string[]> {
    // The timer keeps this process alive: Vitest does not, once its worker is gone. A worker that hangs answers nothing.
    const isClosed = await Promise.race([this.#close().then(() => true), delay(endsWithinMs, false)])
    if (!isClosed) this.#killWorker()
    this.#connection[Symbol.dispose]()
    return leftOf([this.#traces])
  }

  /** Its sandbox ends with it. */
  #killWorker(): void {
    if (readProcess(this.#worker)?.ppid === process.pid) process.kill(this.#worker, 'SIGKILL')
  }

  async #close(): Promise<void> {
    await this.noteTraces().catch(() => {})
    await this.api.end().catch(() => {})
    await this.#running.catch(() => {})
    await this.#vitest.close()
  }

  /** How many processes of it were seen on this machine; undefined for a container. */
  get seenProcesses(): number | undefined {
    return this.#traces.container === undefined ? this.#traces.processes.length : undefined
  }
}
