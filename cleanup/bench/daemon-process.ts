import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { USER_HZ } from '../platform/processes/stat.ts'
import { until } from '../test/support/until.ts'

const PROGRAM = path.join(import.meta.dirname, '..', 'bin', 'daemon.ts')

/** The daemon's resource usage at one moment. */
export interface Usage {
  rssMb: number
  descriptors: number
  /** CPU time of the daemon so far, in ms. */
  ownMs: number
  /** CPU time of its ended tmux clients so far, in ms. */
  childrenMs: number
}

/** A daemon under measurement, started with plain `node`, as a user would start it. */
export class MeasuredDaemon implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #file: string
  #read = 0
  readonly #lines: Record<string, unknown>[] = []

  private constructor(workspace: string, folder: string, args: string[]) {
    this.#file = path.join(folder, 'daemon.log')
    const log = fs.openSync(this.#file, 'a')
    const env = { ...process.env, NODE_COMPILE_CACHE: undefined, XDG_CACHE_HOME: path.join(folder, 'cache') }
    const command = [PROGRAM, workspace, '--grace-ms', '1000', ...args]
    this.#child = spawn(process.execPath, command, { stdio: ['ignore', log, log], env })
    fs.closeSync(log)
  }

  static async start(workspace: string, folder: string, ...args: string[]): Promise<MeasuredDaemon> {
    const daemon = new MeasuredDaemon(workspace, folder, args)
    await until(
      'the daemon has started',
      () => daemon.lines().some(({ event }) => event === 'started'),
      60_000,
    )
    return daemon
  }

  /** Its log so far. */
  lines(): readonly Record<string, unknown>[] {
    const text = fs.readFileSync(this.#file, 'utf8')
    const end = text.lastIndexOf('\n') + 1
    const fresh = text
      .slice(this.#read, end)
      .split('\n')
      .filter(line => line.startsWith('{'))
    this.#lines.push(...fresh.map(line => JSON.parse(line)))
    this.#read = end
    return this.#lines
  }

  /** The time at which it noticed the end of an agent, in ms since the epoch; undefined if it has not. */
  noticed(agent: string): number | undefined {
    const line = this.lines().find(
      line => line.agent === agent && (line.event === 'ended' || line.event === 'cleanup-due'),
    )
    return line && Date.parse(String(line.time))
  }

  usage(): Usage {
    const folder = `/proc/${this.#child.pid}`
    const rss = /VmRSS:\s+(\d+)/.exec(fs.readFileSync(`${folder}/status`, 'utf8'))?.[1]
    const stat = fs.readFileSync(`${folder}/stat`, 'utf8')
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15)
    return {
      rssMb: Number(rss) / 1024,
      descriptors: fs.readdirSync(`${folder}/fd`).length,
      ownMs: ((user + system) * 1000) / USER_HZ,
      childrenMs: ((childUser + childSystem) * 1000) / USER_HZ,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.kill('SIGTERM')
    await once(this.#child, 'exit')
  }
}
