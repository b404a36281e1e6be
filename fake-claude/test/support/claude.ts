import { type ChildProcess, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { programFile, testProgram } from '../../../bin/programs.ts'
import { Traces, wholeLines } from './traces.ts'
import { until } from './until.ts'

export const executable = join(dirname(programFile('fake-claude/main')), 'claude')
const server = testProgram('mcp-server')

export interface Line {
  type: string
  subtype?: string
  uuid: string
  // biome-ignore lint/suspicious/noExplicitAny: tests reach deep into events.
  [field: string]: any
}

export interface Options {
  args?: string[]
  /** The words of a directive; undefined: none, and no journal. */
  directive?: string | undefined
  /** Names of MCP servers, each with the words that make it misbehave. */
  mcp?: Record<string, string>
  env?: Record<string, string>
  stdin?: string | undefined
  /** A folder with a session that ran before. */
  folder?: string
  /** The descriptor for its output, instead of a pipe to this test. */
  stdout?: number
}

export const stream = ['-p', '--output-format', 'stream-json', '--verbose']

/** One fake claude in folders of its own. `await using` ends it and everything that it started. */
export class Run extends Traces {
  readonly process: ChildProcess
  readonly ended: Promise<number | NodeJS.Signals>
  stdout = ''
  stderr = ''
  code: number | NodeJS.Signals | undefined

  constructor({ args = stream, directive, mcp = {}, env = {}, stdin, folder, stdout }: Options = {}) {
    super(folder)
    const prompt = directive === undefined ? [] : [this.prompt(directive)]
    this.process = spawn(executable, [...args, ...prompt, ...this.#config(mcp)], {
      cwd: this.cwd,
      env: { ...this.environment, TMUX_PANE: '%7', ...env },
      stdio: [stdin === undefined ? 'ignore' : 'pipe', stdout ?? 'pipe', 'pipe'],
    })
    this.process.stdin?.on('error', () => {}).end(stdin)
    this.process.stdout?.on('data', chunk => {
      this.stdout += chunk
    })
    this.process.stderr?.on('data', chunk => {
      this.stderr += chunk
    })
    // `close` waits for stdout's end: what was printed is complete.
    this.ended = new Promise(done => {
      this.process.on('close', (code, signal) => {
        this.code = (signal ?? code) as number | NodeJS.Signals
        done(this.code)
      })
    })
  }

  #config(servers: Record<string, string>): string[] {
    if (Object.keys(servers).length === 0) return []
    const entries = Object.entries(servers).map(([name, words]) => {
      const args = [server, ...words.split(' ').filter(Boolean)]
      return [name, { command: process.execPath, args }]
    })
    return ['--mcp-config', JSON.stringify({ mcpServers: Object.fromEntries(entries) })]
  }

  get pid(): number {
    return this.process.pid as number
  }

  get lines(): Line[] {
    return wholeLines(this.stdout).map(line => JSON.parse(line))
  }

  /** `type`, or `type/subtype` where there is one. */
  get order(): string[] {
    return this.lines.map(({ type, subtype }) => (subtype ? `${type}/${subtype}` : type))
  }

  /** The id of its session, once it has printed it. */
  session(): Promise<string> {
    return until('there is an init line', () => this.lines[0]?.session_id)
  }

  async signal(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.process.kill(signal)
    return this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.code === undefined) this.process.kill('SIGKILL')
    await this.ended
    await this.sweep()
  }
}
