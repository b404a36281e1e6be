import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { dirSync } from 'tmp-promise'
import { all, cmdline, facts, isAlive, startedAt, startedIn } from './proc.ts'
import { until } from './until.ts'

export interface Entry {
  t: number
  what: string
  pid?: number
  role?: string
  [field: string]: unknown
}

/** The folders of one fake claude, with what it leaves in them, in its journal and in the process table. */
export class Traces {
  readonly folder: string
  readonly home: string
  readonly cwd: string
  readonly temporary: string

  constructor(folder?: string) {
    this.folder = folder ?? dirSync({ prefix: 'fake-claude' }).name
    this.home = join(this.folder, 'home')
    this.cwd = join(this.folder, 'work')
    this.temporary = join(this.folder, 't')
    for (const path of [this.home, this.cwd, this.temporary]) mkdirSync(path, { recursive: true })
  }

  get environment(): Record<string, string | undefined> {
    return {
      PATH: process.env.PATH,
      HOME: this.home,
      CLAUDE_CODE_TMPDIR: this.temporary,
      TMUX_TMPDIR: this.temporary,
    }
  }

  prompt(directive: string): string {
    return `Your task_id: T-1\nAGENT ID: a-1\n[[fake-claude journal=${this.folder}/journal ${directive}]]`
  }

  /** Where its standard error goes, if to a file. */
  get errors(): string {
    return join(this.folder, 'errors')
  }

  get journal(): Entry[] {
    const path = join(this.folder, 'journal')
    if (!existsSync(path)) return []
    return wholeLines(readFileSync(path, 'utf8')).map(line => JSON.parse(line))
  }

  /** @throws with what there is instead, once it has waited in vain */
  async noted(what: string): Promise<Entry> {
    try {
      return await until(`the journal has '${what}'`, () => this.journal.find(entry => entry.what === what))
    } catch (error) {
      throw new Error([(error as Error).message, ...this.#state()].join('\n'))
    }
  }

  #state(): string[] {
    const entries = this.journal.map(entry => JSON.stringify(entry))
    const processes = this.alive.map(pid => {
      const { state, ppid } = facts(pid) ?? {}
      return `${pid} ${state} below ${ppid}: ${commandOf(pid)}`
    })
    const errors = existsSync(this.errors) ? readFileSync(this.errors, 'utf8').split('\n') : []
    return ['journal:', ...entries, 'processes:', ...processes, 'standard error:', ...errors]
  }

  children(role: string): number[] {
    const entries = this.journal.filter(entry => entry.what === 'child' && entry.role === role)
    return entries.map(entry => entry.pid as number)
  }

  /** The pids of a shape's processes, in the order in which they were noted. */
  made(role: string, what = 'shape'): number[] {
    const entries = this.journal.filter(entry => entry.what === what && entry.role === role)
    return entries.map(entry => entry.pid as number)
  }

  /** The roles of the shape's processes that live. */
  get left(): string[] {
    const entries = this.journal.filter(entry => entry.what === 'shape' || entry.what === 'late')
    return entries
      .filter(entry => entry.pid !== undefined && isAlive(entry.pid) && isSame(entry))
      .map(entry => entry.role as string)
      .sort()
  }

  /** Every process with this claude's environment, recorded in the journal or not. */
  get alive(): number[] {
    return startedIn(this.home)
  }

  /** Its files that a clean exit removes, and its temporary ones. */
  temporaryFiles(): string[] {
    const files = readdirSync(this.folder, { recursive: true, withFileTypes: true })
      .filter(entry => !entry.isDirectory())
      .map(entry => relative(this.folder, join(entry.parentPath, entry.name)))
    const passing = /sessions\/\d+\.|shell-snapshots\/|cc-socks\/|\.output$|plan-|\.fifo$|\.tmp$/
    return files.filter(file => passing.test(file))
  }

  /** Ends everything, and removes the folders. claude itself must be gone: until then it may start more. */
  async sweep(): Promise<void> {
    // A group or session whose leader has ended keeps the leader's pid from being reused.
    const led = (role: string) =>
      this.journal
        .filter(entry => entry.role === role && (!facts(entry.pid as number) || isSame(entry)))
        .map(entry => entry.pid as number)
    for (const pid of led('generation')) kill(-pid)
    const leaders = led('bash')
    for (const { pid } of all().filter(({ sid }) => leaders.includes(sid))) kill(pid)
    for (const entry of this.journal.filter(entry => entry.pid !== undefined && isSame(entry)))
      kill(entry.pid as number)
    await until('nothing lives in its home', () => {
      for (const pid of this.alive) kill(pid)
      return this.alive.length === 0
    })
    rmSync(this.folder, { recursive: true, force: true })
  }
}

// A recorded pid may be reused: then its process was started after the entry was written.
function isSame({ pid = 0, t }: Entry): boolean {
  const start = startedAt(pid)
  return start !== undefined && start <= t + 50
}

/**
 * The processes of a fork storm, zombies included: each lives so briefly that later readings show others. The pid of the
 * first is not reused while the group has it.
 */
export function stormOf(first: number): number[] {
  return all()
    .filter(({ pgid, comm }) => pgid === first && comm === 'perl')
    .map(({ pid }) => pid)
}

/** Both journal and output grow while they are read, and SIGKILL can cut the last line of either. */
export function wholeLines(text: string): string[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter(Boolean)
}

function commandOf(pid: number): string {
  try {
    return cmdline(pid).join(' ')
  } catch {
    return 'it has ended'
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}
