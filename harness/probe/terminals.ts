import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { readProcesses } from './processes.ts'
import { runTool } from './tools.ts'

/** A size in characters. */
export interface TerminalSize {
  rows: number
  columns: number
}

/** A command that a person runs in the sandbox. */
export interface UserCommand {
  command: string[]
  cwd: string
  env?: Record<string, string>
  /** The terminal that it gets; without one its outputs are kept apart. `type` is the caller's TERM. */
  terminal?: TerminalSize & { type: string }
}

/** What came since the last reading, and the exit code once that was all. */
export interface UserOutput {
  chunks: { stream: 'out' | 'err'; base64: string }[]
  exitCode?: number
}

/** How long a reading waits for output, ms: less than a call of the probe may take. */
const longestWaitMs = 20_000

/** No more is read from a command than its reader takes. */
const mostBuffered = 1 << 20

/** A command that has ended may have left its output to a process that lives on. */
const drainMs = 300

/** The first processes of the commands that people run. What is below them is left out of snapshots. */
export const userPids = new Set<number>()

/**
 * The shells and other commands that a person runs in the sandbox, on terminals of script(1), which belongs to the same
 * package as the unshare of a namespace sandbox.
 */
export class Terminals {
  readonly #open = new Map<number, Opened>()
  #last = 0

  open(wanted: UserCommand): number {
    this.#last += 1
    this.#open.set(this.#last, new Opened(wanted))
    return this.#last
  }

  read(id: number): Promise<UserOutput> {
    return this.#get(id).read()
  }

  write(id: number, base64: string): void {
    this.#get(id).write(Buffer.from(base64, 'base64'))
  }

  resize(id: number, size: TerminalSize): Promise<void> {
    return this.#get(id).resize(size)
  }

  close(id: number): void {
    this.#open.get(id)?.close()
    this.#open.delete(id)
  }

  #get(id: number): Opened {
    const opened = this.#open.get(id)
    if (opened) return opened
    throw new Error(`There is no terminal ${id}.`)
  }
}

class Opened {
  readonly #child: ChildProcess
  readonly #hasTerminal: boolean
  readonly #chunks: UserOutput['chunks'] = []
  #bytes = 0
  #exitCode: number | undefined
  #changed = Promise.withResolvers<void>()

  constructor({ command, cwd, env = {}, terminal }: UserCommand) {
    const [file = '', ...args] = terminal ? onTerminal(command, terminal) : command
    const { LEAKRIG_KEEP: _, ...inherited } = process.env
    const stdio = ['pipe', 'pipe', 'pipe'] as const
    // What has no terminal is ended as a group.
    const where = { cwd, env: { ...inherited, ...env }, stdio: [...stdio], detached: !terminal }
    const child = spawn(file, args, where)
    this.#child = child
    this.#hasTerminal = terminal !== undefined
    const { pid } = child
    if (pid) userPids.add(pid)
    child.stdin?.on('error', () => {}) // it has ended
    if (!terminal) child.stdin?.end()
    this.#collect('out', child.stdout)
    this.#collect('err', child.stderr)
    const closed = new Promise<void>(resolve => child.once('close', resolve))
    child.once('error', ({ message }) => {
      this.#add('err', Buffer.from(`${file} could not be started (${message}).\n`))
      this.#end(127)
    })
    child.once('exit', async (code, signal) => {
      await Promise.race([closed, delay(drainMs)])
      if (pid) userPids.delete(pid)
      this.#end(code ?? (signal ? 129 : 1))
    })
  }

  async read(): Promise<UserOutput> {
    if (this.#chunks.length === 0 && this.#exitCode === undefined)
      await Promise.race([this.#changed.promise, delay(longestWaitMs, undefined, { ref: false })])
    const chunks = this.#chunks.splice(0)
    this.#bytes = 0
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.resume()
    return { chunks, ...(this.#exitCode !== undefined && { exitCode: this.#exitCode }) }
  }

  write(bytes: Buffer): void {
    this.#child.stdin?.write(bytes)
  }

  async resize({ rows, columns }: TerminalSize): Promise<void> {
    const shell = readProcesses().find(({ ppid }) => ppid === this.#child.pid)
    const path = shell && terminalOf(shell.tty)
    if (path) await runTool('stty', ['-F', path, 'rows', String(rows), 'cols', String(columns)])
  }

  /** Its terminal closes with script(1), which sends SIGHUP to what runs on it. Afterwards a command may leave whatever it likes. */
  close(): void {
    const { pid } = this.#child
    if (this.#exitCode !== undefined || pid === undefined) return
    if (this.#hasTerminal) this.#child.kill('SIGKILL')
    else process.kill(-pid, 'SIGKILL')
  }

  #collect(name: 'out' | 'err', stream: Readable | null): void {
    stream?.on('data', (chunk: Buffer) => {
      this.#add(name, chunk)
      if (this.#bytes > mostBuffered) stream.pause()
    })
  }

  #add(stream: 'out' | 'err', chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#chunks.push({ stream, base64: chunk.toString('base64') })
    this.#wake()
  }

  #end(exitCode: number): void {
    this.#exitCode ??= exitCode
    this.#wake()
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

/** script(1) gives its terminal no size, and where its own input is none no echo. An unknown TERM is replaced. */
function onTerminal(command: string[], { rows, columns, type }: TerminalSize & { type: string }): string[] {
  const prepare = `stty sane rows ${Math.trunc(rows)} cols ${Math.trunc(columns)}; tput -T ${quoted(type)} clear >/dev/null 2>&1 && TERM=${quoted(type)} || TERM=xterm-256color; export TERM`
  return ['script', '-qefc', `${prepare}; exec ${command.map(quoted).join(' ')}`, '/dev/null']
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The path of a pseudo-terminal by its device number (proc_pid_stat(5)); undefined for any other. */
export function terminalOf(device: number): string | undefined {
  const [major, minor] = [(device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00)]
  // Several majors are set aside for them (devices.txt of the kernel).
  return major >= 136 && major <= 143 ? `/dev/pts/${minor + (major - 136) * 256}` : undefined
}
