import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { programFile } from '../../../bin/programs.ts'
import { LEAN_FLAGS, LEAN_MALLOC } from '../../daemon/lean.ts'
import { childrenOf } from '../../platform/processes/children.ts'
import { type Rig, readText } from './rig.ts'
import { until } from './until.ts'

const PROGRAM = programFile('daemon')

/** Makes chokidar poll so rarely that the daemon sees no file event, as can happen for a while on a busy machine. */
const NO_FILE_EVENTS = { CHOKIDAR_USEPOLLING: 'true', CHOKIDAR_INTERVAL: '1000000' }

/** The daemon in a separate process, on a rig's workspace. */
export class Daemon {
  readonly child: ChildProcess
  readonly #log: string

  private constructor(
    rig: Rig,
    program: string,
    args: string[],
    { environment = {}, before = [] }: { environment?: Record<string, string>; before?: string[] } = {},
  ) {
    // One log for each daemon: events of an earlier one must not count.
    this.#log = path.join(rig.folder, `daemon-${performance.now()}.log`)
    const log = fs.openSync(this.#log, 'a')
    const [command = '', ...words] = [
      ...before,
      ...[process.execPath, ...LEAN_FLAGS, program, rig.workspace, ...args],
    ]
    const env = { ...process.env, ...LEAN_MALLOC, ...environment }
    this.child = spawn(command, words, { stdio: ['ignore', log, log], env })
    fs.closeSync(log)
  }

  static start(rig: Rig, ...args: string[]): Promise<Daemon> {
    return Daemon.startAs(rig, PROGRAM, '--grace', '1s', ...args)
  }

  /** Starts a daemon that gets no file events when a registry changes. */
  static startWithoutFileEvents(rig: Rig, ...args: string[]): Promise<Daemon> {
    return new Daemon(rig, PROGRAM, ['--grace', '1s', ...args], { environment: NO_FILE_EVENTS }).#started()
  }

  /** Starts a daemon by a command that replaces itself by the words after it. */
  static startBehind(rig: Rig, before: string[]): Promise<Daemon> {
    return new Daemon(rig, PROGRAM, ['--grace', '1s'], { before }).#started()
  }

  /** Starts another program that runs a daemon, with the workspace and these arguments. */
  static startAs(rig: Rig, program: string, ...args: string[]): Promise<Daemon> {
    return new Daemon(rig, program, args).#started()
  }

  /** Starts a daemon while another one holds the lock, and waits until it stands by. */
  static async standBy(rig: Rig, ...args: string[]): Promise<Daemon> {
    const daemon = new Daemon(rig, PROGRAM, ['--grace', '1s', ...args])
    await until('the daemon stands by', () => daemon.events('standby').length > 0)
    return daemon
  }

  async #started(): Promise<this> {
    await until('the daemon has started', () => this.events('started').length > 0)
    return this
  }

  /** The pids of its tmux clients, or of those that use one socket. */
  clients(socket = ''): number[] {
    const all = childrenOf(this.child.pid ?? 0) ?? []
    return all.filter(pid => readText(`/proc/${pid}/cmdline`).includes(`${socket}\0`))
  }

  /**
   * Sends SIGSTOP to a tmux server, and waits until the daemon has started a new query that gets no answer. The server
   * may have answered an earlier query just before the signal; with that answer the daemon would be right to report a
   * pane that ends now as a crash.
   */
  async stopServer(server: number, socket: string): Promise<void> {
    process.kill(server, 'SIGSTOP')
    const before = this.clients(socket)
    await until('the daemon has queried the stopped tmux server', () =>
      this.clients(socket).some(pid => !before.includes(pid)),
    )
  }

  /** Its log lines with that event. */
  events(event: string): Record<string, unknown>[] {
    // The daemon may still be writing the text after the last newline.
    const lines = readText(this.#log)
      .split('\n')
      .slice(0, -1)
      .filter(line => line.startsWith('{'))
    return lines.map(line => JSON.parse(line)).filter(line => line.event === event)
  }

  /** Sends a signal, waits until the daemon has ended, and returns its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal)
    return this.exit()
  }

  async exit(): Promise<number | null> {
    const { child } = this
    await until(
      'the daemon has ended',
      () => child.exitCode !== null || child.signalCode !== null,
      60_000,
    ).catch(error => {
      throw new Error(`${error.message}; end of its log:\n${readText(this.#log).slice(-4_000)}`)
    })
    return child.exitCode
  }
}

/** Runs the daemon with any arguments to its end, and returns its exit code and its trimmed standard error. */
export async function runDaemonProgram(args: string[]): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => {
    stderr += text
  })
  const [code] = await once(child, 'close')
  return { code, stderr: stderr.trim() }
}
