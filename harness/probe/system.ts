import { existsSync } from 'node:fs'
import path from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { ProcessIdentity } from '../snapshot/snapshot.ts'
import type { SystemCommand, ToolAnswer } from './api.ts'
import { readProcess } from './processes.ts'

/** Switches off the client's own limit of 60 s: the rig's limit takes longer on a busy machine (sandbox/connect.ts). */
const neverMs = 2 ** 31 - 1

/** The system under test, driven over MCP by the official client. */
export class System {
  readonly #words: string[]
  readonly #client = new Client({ name: 'leakrig', version: '0' })
  readonly #transport: StdioClientTransport
  #log = ''

  constructor({ command, args, env, cwd }: SystemCommand) {
    this.#words = [command, ...args]
    this.#transport = new StdioClientTransport({
      command,
      args,
      // The whole environment of the sandbox: by default the client passes on six variables only.
      env: { ...(process.env as Record<string, string>), ...env },
      cwd,
      stderr: 'pipe',
    })
    this.#transport.stderr?.on('data', chunk => {
      this.#log += chunk
    })
  }

  /** @throws when the program cannot be started or does not answer `initialize`; the message has its standard error */
  async start(): Promise<ProcessIdentity> {
    try {
      await this.#client.connect(this.#transport, { timeout: neverMs })
    } catch (error) {
      const missing = this.#words.find(word => path.isAbsolute(word) && !existsSync(word))
      if (missing !== undefined)
        throw new Error(
          `The system under test did not start: there is no ${missing} in the sandbox, which shows only the project’s folder and the machine’s programs; put the file below that folder.`,
        )
      const errors = this.#log.trim() || 'it wrote nothing to its standard error'
      throw new Error(`The system under test did not start: ${String(error)}. ${errors}`)
    }
    const identity = this.#transport.pid && readProcess(this.#transport.pid)
    if (!identity) throw new Error('The system under test ended right after its first answer.')
    return { pid: identity.pid, start: identity.start }
  }

  async call(name: string, args: Record<string, unknown>): Promise<ToolAnswer> {
    const answer = await this.#client.callTool({ name, arguments: args }, { timeout: neverMs })
    const blocks = answer.content.filter(block => block.type === 'text')
    return { isError: answer.isError === true, content: parse(blocks.map(block => block.text).join('\n')) }
  }

  get log(): string {
    return this.#log
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
