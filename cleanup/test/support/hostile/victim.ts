import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { guard } from '../../../../test/guard.ts'
import { agentMarker } from '../../../orchestrator.ts'
import type { Identity } from '../../../platform/processes/identity.ts'
import { isAlive, startOf } from '../../../platform/processes/table.ts'
import { quote } from '../../../platform/shell.ts'
import { describe, listing } from '../listing.ts'
import { until } from '../until.ts'
import { Witness } from '../witness.ts'

const MARK = 'LEAKRIG_TEST'
/** The user's tmux sessions, by server. They must survive. */
const SESSIONS = { default: 'user', work: 'agent_notes' } as const

/**
 * A user with a home, tmux servers, a claude and other processes, beside an orchestrator's workspace. A hostile agent may
 * name, link to or point at any of these, and none of them may change.
 */
export class Victim implements AsyncDisposable {
  readonly uid: number
  readonly folder: string
  readonly home: string
  readonly outside: string
  readonly workspace: string
  /** The session of the user's claude. */
  readonly session = randomUUID()
  readonly witnesses: { witness: Witness; identity: Identity }[] = []
  readonly #remove: () => Promise<void>
  readonly #dismiss: () => void
  /** The user's folders in /tmp: claude keeps its temporary files there. */
  readonly #temporary: string[] = []
  /** Folders outside `folder` to remove at the end. */
  readonly #made: string[] = []
  #before: string[] = []

  private constructor(uid: number, folder: string, remove: () => Promise<void>) {
    this.uid = uid
    this.folder = folder
    this.home = path.join(folder, 'home')
    this.outside = path.join(folder, 'outside')
    this.workspace = path.join(folder, 'project', '.agent-workspace')
    this.#remove = remove
    this.#dismiss = guard(MARK, folder).dismiss
    process.env[MARK] = folder
  }

  static async start(uid: number): Promise<Victim> {
    const { path: made, cleanup } = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
    const victim = new Victim(uid, fs.realpathSync(made), cleanup)
    fs.chmodSync(victim.folder, 0o755)
    for (const name of ['home', 'outside', 'project', 'signals', 'tmux', `tmux/tmux-${uid}`])
      victim.#makeFolder(path.join(victim.folder, name), name.startsWith('tmux/') ? 0o700 : 0o755)
    // A process of another user writes into it, too.
    fs.chmodSync(path.join(victim.folder, 'signals'), 0o777)
    victim.#fillHome()
    await victim.#startUser()
    victim.#before = victim.#listing()
    return victim
  }

  /** The variables that the user's processes and leakrig run with, beside the test's own. */
  get environment(): NodeJS.ProcessEnv {
    return { HOME: this.home, TMUX_TMPDIR: path.join(this.folder, 'tmux') }
  }

  socket(name: keyof typeof SESSIONS): string {
    return path.join(this.folder, 'tmux', `tmux-${this.uid}`, name)
  }

  tmux(server: keyof typeof SESSIONS, ...args: string[]): string {
    const { stdout, stderr, status } = this.#runTmux(server, args)
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
    return stdout.trim()
  }

  /** Files and folders of the user that a hostile agent may try to get removed, moved or read. */
  decoys(): string[] {
    return [
      ...listFiles(this.home),
      ...this.#temporary.flatMap(listFiles),
      path.join(this.home, '.ssh'),
      this.outside,
    ]
  }

  /** One line for each of the user's files, processes and sessions that was touched. */
  damage(): string[] {
    const now = this.#listing()
    const [before, after] = [new Set(this.#before), new Set(now)]
    const sessions = (Object.keys(SESSIONS) as (keyof typeof SESSIONS)[]).flatMap(server => {
      const names = this.#runTmux(server, ['list-sessions', '-F', '#{session_name}']).stdout.split('\n')
      return names.includes(SESSIONS[server]) ? [] : [`the session ${SESSIONS[server]} is gone`]
    })
    return [
      ...this.#before.filter(line => !after.has(line)).map(line => `deleted or changed: ${line}`),
      ...now.filter(line => !before.has(line)).map(line => `new: ${line}`),
      ...this.witnesses.flatMap(({ witness, identity }) =>
        witness.harm().map(harm => `${witness.name} (${identity.pid}): ${harm}`),
      ),
      ...sessions,
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of Object.keys(SESSIONS) as (keyof typeof SESSIONS)[])
      spawnSync('tmux', ['-S', this.socket(server), 'kill-server'], { stdio: 'ignore' })
    for (const { identity } of this.witnesses) if (isAlive(identity)) process.kill(identity.pid, 'SIGKILL')
    for (const made of this.#made.toReversed()) fs.rmSync(made, { recursive: true, force: true })
    await this.#remove()
    this.#dismiss()
    delete process.env[MARK]
  }

  #runTmux(server: keyof typeof SESSIONS, args: string[]) {
    return spawnSync('tmux', ['-S', this.socket(server), ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...this.environment },
      ...this.#user,
    })
  }

  get #user() {
    return this.uid === process.geteuid?.() ? {} : { uid: this.uid, gid: this.uid }
  }

  /** Starts a process as the user. */
  start(words: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const [command = '', ...args] = words
    return spawn(command, args, {
      stdio: 'ignore',
      detached: true,
      env: { ...process.env, ...this.environment, ...env },
      ...this.#user,
    })
  }

  #listing(): string[] {
    const roots = [this.home, this.outside, ...this.#temporary]
    return roots.flatMap(root => [
      `${root} ${describe(root, true)}`,
      ...Object.entries(listing(root, true)).map(([file, known]) => `${file} ${known}`),
    ])
  }

  #makeFolder(folder: string, mode = 0o755): void {
    fs.mkdirSync(folder, { recursive: true, mode })
    fs.chownSync(folder, this.uid, this.uid)
  }

  #write(file: string, text: string, mode = 0o644): void {
    this.#makeFolder(path.dirname(file))
    fs.writeFileSync(file, text, { mode })
    fs.chownSync(file, this.uid, this.uid)
  }

  #fillHome(): void {
    const at = (...names: string[]) => path.join(this.home, ...names)
    this.#write(at('.ssh', 'id_ed25519'), 'a private key', 0o600)
    this.#write(at('.ssh', 'config'), 'Host *')
    this.#write(at('project', 'notes.txt'), 'notes')
    this.#write(at('project', 'a_stream.jsonl'), '{"type":"result"}\n')
    this.#write(at('.claude.json'), '{}')
    const claude = (...names: string[]) => at('.claude', ...names)
    this.#write(claude('shell-snapshots', `snapshot-bash-${Date.now()}-abcdef.sh`), 'export A=1')
    this.#write(
      claude('projects', '-home-project', `${this.session}.jsonl`),
      `{"sessionId":"${this.session}"}\n`,
    )
    this.#write(claude('teams', 'mine', 'config.json'), JSON.stringify({ leadSessionId: this.session }))
    this.#write(claude('tasks', 'mine', '1.json'), '{}')
    this.#write(path.join(this.outside, 'registry.json'), '{"agents":[]}')
    const temporary = `/tmp/claude-${this.uid}`
    if (!fs.existsSync(temporary)) this.#made.push(temporary)
    const folder = path.join(temporary, `-lr-decoy-${randomBytes(4).toString('hex')}`)
    this.#made.push(folder)
    this.#temporary.push(folder)
    this.#write(path.join(folder, this.session, 'started'), '')
    this.#write(path.join(folder, this.session, 'loose.txt'), 'in the user’s session')
    this.#write(path.join(folder, this.session, 'tasks', 'b1.output'), 'output')
    for (const made of [temporary, folder, path.join(folder, this.session)])
      fs.chownSync(made, this.uid, this.uid)
  }

  async #startUser(): Promise<void> {
    const folder = path.join(this.folder, 'signals')
    const pid = (name: string) =>
      until(
        `${name} runs`,
        () => Number(fs.readFileSync(path.join(folder, `${name}.pid`), 'utf8')) || undefined,
      )
    const add = async (name: string, start: (words: string[]) => unknown, comm?: string) => {
      const witness = new Witness({ folder, pid }, name, comm)
      start(witness.command)
      const number = await witness.pid()
      this.witnesses.push({ witness, identity: { pid: number, start: startOf(number) ?? -1 } })
    }
    const marker = agentMarker({ workspace: this.workspace, taskId: 'TASK-1', agentId: 'a' })
    await add('child', words => this.start(words))
    await add('daemon', words => this.start(['sh', '-c', '"$@" & exit', 'sh', ...words]))
    await add('claude', words => this.start(words, { CLAUDE_CODE_SESSION_ID: this.session }), 'claude')
    const claude = this.witnesses.at(-1)?.identity
    const record = { pid: claude?.pid, sessionId: this.session, startedAt: Date.now() }
    this.#write(path.join(this.home, '.claude', 'sessions', `${claude?.pid}.json`), JSON.stringify(record))
    for (const server of Object.keys(SESSIONS) as (keyof typeof SESSIONS)[]) {
      await add(`first pane of ${server}`, words =>
        this.tmux(server, '-f', '/dev/null', 'new-session', '-d', '-s', SESSIONS[server], '--', ...words),
      )
      // A hostile agent can do this to a server that it reaches: every later process of the server carries its marker.
      this.tmux(server, 'set-environment', '-g', 'LEAKRIG_AGENT', marker)
      await add(`later pane of ${server}`, words => this.tmux(server, 'new-window', '-d', '--', ...words))
      await add(`job of ${server}`, words => this.tmux(server, 'run-shell', '-b', words.map(quote).join(' ')))
    }
    if (process.geteuid?.() === 0)
      await add('marked by another user', words =>
        spawn(words[0] ?? '', words.slice(1), {
          ...{ stdio: 'ignore', detached: true, uid: 54_399 },
          env: { ...process.env, LEAKRIG_AGENT: marker, HOME: this.home, CLAUDE_CODE_TMPDIR: this.outside },
        }),
      )
  }
}

function listFiles(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => path.join(folder, name))
    .filter(file => fs.lstatSync(file).isFile())
}
