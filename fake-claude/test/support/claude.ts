import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { dirSync } from 'tmp-promise'
import { inSession, isAlive } from './proc.ts'
import { until } from './until.ts'

const executable = join(import.meta.dirname, '../../claude')
const server = join(import.meta.dirname, '../fixtures/mcp-server.ts')

export interface Entry {
  t: number
  what: string
  pid?: number
  role?: string
  [field: string]: unknown
}

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
  /** Names of MCP servers, each with the words that spoil it. */
  mcp?: Record<string, string>
  env?: Record<string, string>
  stdin?: string | undefined
  /** A folder with a session that ran before. */
  folder?: string
  /** Where its output goes, instead of into this test. */
  stdout?: number
}

const stream = ['-p', '--output-format', 'stream-json', '--verbose']

/** One fake claude in folders of its own. `await using` ends it and everything that it started. */
export class Run {
  readonly folder: string
  readonly home: string
  readonly cwd: string
  readonly temporary: string
  readonly process: ChildProcess
  readonly ended: Promise<number | NodeJS.Signals>
  stdout = ''
  stderr = ''
  code: number | NodeJS.Signals | undefined

  constructor({ args = stream, directive, mcp = {}, env = {}, stdin, folder, stdout }: Options = {}) {
    this.folder = folder ?? dirSync({ prefix: 'fake-claude' }).name
    this.home = join(this.folder, 'home')
    this.cwd = join(this.folder, 'work')
    this.temporary = join(this.folder, 't')
    for (const path of [this.home, this.cwd, this.temporary]) mkdirSync(path, { recursive: true })

    const prompt =
      directive === undefined
        ? []
        : [`Your task_id: T-1\nAGENT ID: a-1\n[[fake-claude journal=${this.folder}/journal ${directive}]]`]
    this.process = spawn(executable, [...args, ...prompt, ...this.#config(mcp)], {
      cwd: this.cwd,
      env: {
        PATH: process.env.PATH,
        HOME: this.home,
        CLAUDE_CODE_TMPDIR: this.temporary,
        TMUX_PANE: '%7',
        ...env,
      },
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

  get journal(): Entry[] {
    const path = join(this.folder, 'journal')
    if (!existsSync(path)) return []
    return wholeLines(readFileSync(path, 'utf8')).map(line => JSON.parse(line))
  }

  /** The id of its session, once it has told it. */
  session(): Promise<string> {
    return until('there is an init line', () => this.lines[0]?.session_id)
  }

  noted(what: string): Promise<Entry> {
    return until(`the journal has '${what}'`, () => this.journal.find(entry => entry.what === what))
  }

  children(role: string): number[] {
    const entries = this.journal.filter(entry => entry.what === 'child' && entry.role === role)
    return entries.map(entry => entry.pid as number)
  }

  /** Those of its files that a clean exit removes, and whatever it needs for a moment only. */
  passingFiles(): string[] {
    const files = readdirSync(this.folder, { recursive: true, withFileTypes: true })
      .filter(entry => !entry.isDirectory())
      .map(entry => relative(this.folder, join(entry.parentPath, entry.name)))
    const passing = /sessions\/\d+\.|shell-snapshots\/|cc-socks\/|\.output$|plan-|\.fifo$|\.tmp$/
    return files.filter(file => passing.test(file))
  }

  async signal(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.process.kill(signal)
    return this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // claude first: until it is gone it may start more.
    if (this.code === undefined) kill(this.pid)
    await this.ended
    for (const pid of this.children('mcp')) if (isAlive(pid)) kill(pid)
    // A Bash tool leads a session: whatever is left of it is there.
    for (const leader of this.children('bash')) for (const { pid } of inSession(leader)) kill(pid)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

// Both grow while they are read, and SIGKILL can cut the last line of either.
function wholeLines(text: string): string[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}
