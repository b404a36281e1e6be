import { type ChildProcess, spawn } from 'node:child_process'
import type { ProcessIdentity } from '../snapshot/snapshot.ts'
import type { CallAnswer, ProgramCommand, ReadyCall } from './api.ts'
import { readProcess } from './processes.ts'
import type { SystemOutput } from './system-output.ts'

/** An answer of module-host.ts; the first one, without a number, is the sign that it is ready. */
export interface HostAnswer {
  number: number
  value?: unknown
  error?: string
}

/** The process in which the functions of the system's modules run (module-host.ts). It keeps what they keep in memory. */
export class FunctionsProcess {
  readonly #child: ChildProcess
  readonly #open = new Map<number, (answer: CallAnswer) => void>()
  readonly #ready: Promise<void>
  #ended: string | undefined
  #count = 0

  constructor({ command, args, env, cwd }: ProgramCommand, output: SystemOutput) {
    this.#child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', chunk => output.add(String(chunk)))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#ready = promise
    this.#child.once('error', reject)
    this.#child.on('message', (answer: HostAnswer) => {
      if (answer.number === 0) return resolve()
      this.#settle(
        answer.number,
        answer.error === undefined
          ? { content: answer.value }
          : { content: answer.error, failure: answer.error },
      )
    })
    this.#child.once('exit', (code, signal) => {
      this.#ended = `the process of the system’s functions ended (${signal ? `killed with ${signal}` : `exit code ${code}`})`
      reject(new Error(this.#ended))
      for (const number of this.#open.keys())
        this.#settle(number, { content: this.#ended, failure: this.#ended })
    })
  }

  async start(): Promise<void> {
    await this.#ready
  }

  get identity(): ProcessIdentity | undefined {
    const found = readProcess(this.#child.pid ?? 0)
    return found && { pid: found.pid, start: found.start }
  }

  async call({ module, path, given }: Extract<ReadyCall, { kind: 'function' }>): Promise<CallAnswer> {
    if (this.#ended) return { content: this.#ended, failure: this.#ended }
    this.#count += 1
    const number = this.#count
    return new Promise(resolve => {
      this.#open.set(number, resolve)
      this.#child.send({ number, module, path, given })
    })
  }

  #settle(number: number, answer: CallAnswer): void {
    this.#open.get(number)?.(answer)
    this.#open.delete(number)
  }
}
