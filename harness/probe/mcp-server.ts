import { existsSync } from 'node:fs'
import path from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { jsonOrText } from '../json.ts'
import type { ProcessIdentity } from '../snapshot/snapshot.ts'
import type { CallAnswer, ProgramCommand, ReadyCall } from './api.ts'
import { readProcess } from './processes.ts'
import type { SystemOutput } from './system-output.ts'

/** Switches off the client's own limit of 60 s: the rig's limit takes longer on a busy machine (sandbox/connect.ts). */
const neverMs = 2 ** 31 - 1

/** The system's MCP server, driven by the official client. */
export class McpServer {
  readonly #words: string[]
  readonly #client = new Client({ name: 'leakrig', version: '0' })
  readonly #transport: StdioClientTransport
  readonly #output: SystemOutput

  constructor({ command, args, env, cwd }: ProgramCommand, output: SystemOutput) {
    this.#output = output
    this.#words = [command, ...args]
    this.#transport = new StdioClientTransport({
      command,
      args,
      // The whole environment of the sandbox: by default the client passes on six variables only.
      env: { ...(process.env as Record<string, string>), ...env },
      cwd,
      stderr: 'pipe',
    })
    this.#transport.stderr?.on('data', chunk => output.add(String(chunk)))
  }

  /** @throws when the program cannot be started or does not answer `initialize` */
  async start(): Promise<ProcessIdentity> {
    // A line that is no JSON-RPC is reported here and nowhere else, and the client goes on waiting.
    this.#client.onerror = error => {
      if (!error.message.includes('EPIPE')) this.#output.add(`${error.message}\n`)
    }
    try {
      await this.#client.connect(this.#transport, { timeout: neverMs })
    } catch (error) {
      const missing = this.#words.find(word => path.isAbsolute(word) && !existsSync(word))
      if (missing !== undefined)
        throw new Error(
          `The system under test did not start: there is no ${missing} in the sandbox, which shows only the project’s folder and the machine’s programs; put the file below that folder, or mount it.`,
        )
      throw new Error(`The system under test did not start: ${String(error)}.`)
    }
    const identity = this.#transport.pid && readProcess(this.#transport.pid)
    if (!identity) throw new Error('The system under test ended right after its first answer.')
    return { pid: identity.pid, start: identity.start }
  }

  async call({ tool, args }: Extract<ReadyCall, { kind: 'tool' }>): Promise<CallAnswer> {
    // A server that ends, knows no such tool or answers something else has failed, as one that says so has.
    const answer = await this.#client
      .callTool({ name: tool, arguments: args }, { timeout: neverMs })
      .catch(error => String(error))
    if (typeof answer === 'string') return { content: answer, failure: answer }
    const blocks = answer.content.filter(block => block.type === 'text')
    const text = blocks.map(block => block.text).join('\n')
    const content = answer.structuredContent ?? jsonOrText(text)
    return { content, ...(answer.isError === true && { failure: text }) }
  }
}
