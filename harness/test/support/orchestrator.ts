import { readFileSync } from 'node:fs'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { programFile } from '../../../bin/programs.ts'

/** Longer than a cleanup with its grace, ms: a call that takes longer hangs. */
const answersWithinMs = 15_000

/** The answer of a tool: its JSON, and the sentence of a refusal, empty where there was none. */
export interface Answer {
  isError: boolean
  said: Record<string, unknown>
  error: string
}

/** The environment of an outer instance, without the variables of an agent that may run these tests. */
export function outerEnvironment(): Record<string, string> {
  const { LEAKRIG_AGENT: _, TMUX: __, ...inherited } = process.env as Record<string, string>
  return inherited
}

export const orchestratorArgs = (strategy: string): string[] => [
  programFile('orchestrator'),
  '--strategy',
  strategy,
]

/** One instance of the real orchestrator, driven over stdio. */
export class Orchestrator implements AsyncDisposable {
  readonly #client = new Client({ name: 'leakrig-test', version: '0' })
  readonly #transport: StdioClientTransport

  private constructor(args: string[], env: Record<string, string>) {
    const command = process.execPath
    this.#transport = new StdioClientTransport({ command, args, env: { ...outerEnvironment(), ...env } })
  }

  static async start(args: string[], env: Record<string, string>): Promise<Orchestrator> {
    const one = new Orchestrator(args, env)
    await one.#client.connect(one.#transport)
    return one
  }

  async call(name: string, args: Record<string, unknown>): Promise<Answer> {
    const call = { name, arguments: args }
    const { content, isError } = await this.#client.callTool(call, { timeout: answersWithinMs })
    const text = content.map(block => (block.type === 'text' ? block.text : '')).join('\n')
    let said: Record<string, unknown> = {}
    try {
      said = JSON.parse(text)
    } catch {}
    return { isError: isError === true, said, error: isError ? String(said.error ?? text) : '' }
  }

  /** Its peak memory, in bytes. */
  peakRss(): number {
    const status = readFileSync(`/proc/${this.#transport.pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close()
  }
}
