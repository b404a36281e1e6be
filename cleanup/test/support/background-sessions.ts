import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { programFile } from '../../../bin/programs.ts'
import type { AgentRef } from '../../index.ts'
import { isRunning, type Rig, readText } from './rig.ts'
import { until } from './until.ts'

/** A background session, with the pids of its host, its worker and the shell of its Bash tool. */
export interface BackgroundSession {
  id: string
  host: number
  worker: number
  bash: number
}

interface Roster {
  supervisorPid: number
  workers: Record<string, { pid: number; replPid: number }>
}

/** The background sessions of one home folder (`claude --bg`, by the fake claude), started by an agent or by a user. */
export class BackgroundSessions {
  readonly home: string
  readonly base: string
  /** The session of the agent's claude. Every roster of this user's services is read, and other tests have services, too. */
  readonly #claude = randomUUID()
  readonly #rig: Rig
  readonly #bin = path.dirname(programFile('fake-claude/main'))

  constructor(rig: Rig) {
    this.#rig = rig
    this.home = path.join(rig.folder, 'home')
    this.base = path.join(rig.folder, 'base')
    for (const folder of [this.home, this.base]) fs.mkdirSync(folder)
  }

  /** Deploys an agent whose Bash tool has run `claude --bg` so often. */
  deploy(id: string, sessions = 1): Promise<AgentRef> {
    const init = { type: 'system', subtype: 'init', session_id: this.#claude, cwd: this.#rig.folder }
    const starts = Array.from(
      { length: sessions },
      () =>
        `setsid env CLAUDE_CODE_SESSION_ID=${this.#claude} claude --bg work >>${this.#rig.folder}/started || exit`,
    )
    const claude = `echo '${JSON.stringify(init)}'
      export HOME=${this.home} CLAUDE_CODE_TMPDIR=${this.base} PATH="${this.#path}"
      ${starts.join('\n')}
      sleep 1000 & echo ready; wait`
    return this.#rig.deploy(id, { claude })
  }

  /** The sessions that the agent has started. */
  ofAgent(): Promise<BackgroundSession[]> {
    const ids = [...readText(`${this.#rig.folder}/started`).matchAll(/^backgrounded · (\w+)/gm)]
    return Promise.all(ids.map(([, id = '']) => this.#session(id)))
  }

  /** Starts a session as a user does in a terminal. */
  async ofUser(): Promise<BackgroundSession> {
    const [, id = ''] = /^backgrounded · (\w+)/m.exec(this.claude('--bg', 'help me')) ?? []
    return this.#session(id)
  }

  claude(...args: string[]): string {
    const env = { ...process.env, HOME: this.home, CLAUDE_CODE_TMPDIR: this.base, PATH: this.#path }
    const { stdout, stderr, status } = spawnSync('claude', args, {
      env,
      cwd: this.#rig.folder,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`claude ${args.join(' ')}: ${stderr}`)
    return stdout
  }

  get supervisor(): number {
    return this.#roster().supervisorPid
  }

  /** The hosts and spares of the service. */
  spares(): number[] {
    const hosts = this.#childrenOf(this.supervisor).filter(
      pid => !Object.values(this.#roster().workers).some(worker => worker.pid === pid),
    )
    return [...hosts, ...hosts.flatMap(pid => this.#childrenOf(pid))]
  }

  /** What lives of sessions and of the service. */
  running(...sessions: BackgroundSession[]): number[] {
    return sessions.flatMap(({ host, worker, bash }) => [host, worker, bash]).filter(isRunning)
  }

  /** Files of the service and of its sessions that are gone after a clean exit. */
  leftFiles(): string[] {
    const all = [this.home, this.base].flatMap(folder =>
      fs
        .readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter(entry => !entry.isDirectory())
        .map(entry => path.join(entry.parentPath, entry.name)),
    )
    return all.filter(file =>
      /\/cc-daemon-|\/cc-socks\/|\/daemon\.(lock|status\.json)$|\/sessions\/|\/shell-snapshots\//.test(file),
    )
  }

  removeRoster(): void {
    fs.rmSync(path.join(this.home, '.claude/daemon/roster.json'))
  }

  get #path(): string {
    return `${this.#bin}:${path.dirname(process.execPath)}:${process.env.PATH}`
  }

  #roster(): Roster {
    return JSON.parse(readText(path.join(this.home, '.claude/daemon/roster.json')))
  }

  #childrenOf(pid: number): number[] {
    return readText(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
  }

  async #session(id: string): Promise<BackgroundSession> {
    const { pid: host = 0, replPid: worker = 0 } = this.#roster().workers[id] ?? {}
    const bash = await until(`the session ${id} runs its Bash tool`, () => this.#childrenOf(worker)[0])
    return { id, host, worker, bash }
  }
}
