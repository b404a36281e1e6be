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

/** The environment of one whose watch hears of nothing, as it may be on a busy machine for a while. */
const DEAF = { CHOKIDAR_USEPOLLING: 'true', CHOKIDAR_INTERVAL: '1000000' }

/** The daemon as a process of its own, on a rig's workspace. */
export class Daemon {
  readonly child: ChildProcess
  readonly #log: string

  private constructor(rig: Rig, program: string, args: string[], environment: Record<string, string> = {}) {
    // Each one has a log of its own, so that its events are not taken for those of the one before.
    this.#log = path.join(rig.folder, `daemon-${performance.now()}.log`)
    const log = fs.openSync(this.#log, 'a')
    const command = [...LEAN_FLAGS, program, rig.workspace, ...args]
    const env = { ...process.env, ...LEAN_MALLOC, ...environment }
    this.child = spawn(process.execPath, command, { stdio: ['ignore', log, log], env })
    fs.closeSync(log)
  }

  static start(rig: Rig, ...args: string[]): Promise<Daemon> {
    return Daemon.startAs(rig, PROGRAM, '--grace-ms', '1000', ...args)
  }

  /** One that is told of no change of a registry. */
  static startDeaf(rig: Rig, ...args: string[]): Promise<Daemon> {
    return new Daemon(rig, PROGRAM, ['--grace-ms', '1000', ...args], DEAF).#started()
  }

  /** Another program that runs a daemon, with a workspace and these arguments. */
  static startAs(rig: Rig, program: string, ...args: string[]): Promise<Daemon> {
    return new Daemon(rig, program, args).#started()
  }

  /** One that finds another daemon in its place. */
  static async standBy(rig: Rig, ...args: string[]): Promise<Daemon> {
    const daemon = new Daemon(rig, PROGRAM, ['--grace-ms', '1000', ...args])
    await until('the daemon stands by', () => daemon.events('standby').length > 0)
    return daemon
  }

  async #started(): Promise<this> {
    await until('the daemon has started', () => this.events('started').length > 0)
    return this
  }

  /** Its tmux clients, all of them or those of one socket. */
  clients(socket = ''): number[] {
    const all = childrenOf(this.child.pid ?? 0) ?? []
    return all.filter(pid => readText(`/proc/${pid}/cmdline`).includes(`${socket}\0`))
  }

  /**
   * Stops a tmux server, and waits until the daemon has asked it in vain. An earlier question may have been answered just
   * before the stop: with that answer the daemon would rightly call a pane that ends now a crash.
   */
  async stopServer(server: number, socket: string): Promise<void> {
    process.kill(server, 'SIGSTOP')
    const before = this.clients(socket)
    await until('it asks in vain', () => this.clients(socket).some(pid => !before.includes(pid)))
  }

  events(event: string): Record<string, unknown>[] {
    // What follows the last newline may be half a line.
    const lines = readText(this.#log)
      .split('\n')
      .slice(0, -1)
      .filter(line => line.startsWith('{'))
    return lines.map(line => JSON.parse(line)).filter(line => line.event === event)
  }

  /** Sends a signal and returns the exit code once it has ended. */
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
      throw new Error(`${error.message}; it said last:\n${readText(this.#log).slice(-4_000)}`)
    })
    return child.exitCode
  }
}

/** Runs the daemon with any arguments to its end. */
export async function runDaemonProgram(args: string[]): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (text: Buffer) => {
    said += text
  })
  const [code] = await once(child, 'close')
  return { code, said: said.trim() }
}
