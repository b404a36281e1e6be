import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { dir as temporaryFolder } from 'tmp-promise'
import { guard } from '../../../test/guard.ts'
import type { AgentRef } from '../../index.ts'
import {
  type AgentEntry,
  addAgent,
  addTask,
  agentMarker,
  contain,
  initRegistries,
  layout,
  RECORD_FORMAT,
  type RecordedTmux,
  recordOf,
  thisWorld,
} from '../../orchestrator.ts'
import type { Identity } from '../../platform/processes/identity.ts'
import { isAlive, readProcess, startOf } from '../../platform/processes/table.ts'
import { readAgent } from '../../registry/registry.ts'
import { SEARCHED_FOLDER } from '../../tmux/sockets.ts'
import { until } from './until.ts'

const TASK = 'TASK-1'
const MARK = 'LEAKRIG_TEST'

/**
 * Waits until what is started is younger than everything there is: the kernel tells when a process began in hundredths of a
 * second (proc_pid_stat(5)).
 */
async function nextClockTick(): Promise<void> {
  const from = performance.now()
  await until('the next clock tick', () => performance.now() - from > 10)
}

/** An agent to deploy. `claude` is a bash script whose output goes through tee into the stream log. */
export interface Deployment {
  claude: string
  /** What stands in tee's place: it reads the script's output and writes the stream log. */
  writer?: string
  /** Shell code before and after the pipeline, in the pane's shell. */
  before?: string
  after?: string
  /** False leaves the tmux location out of the registry, as other orchestrators do. */
  recorded?: boolean
  marker?: boolean
  /** Starts it in a subreaper or a cgroup, as our own orchestrator does. */
  contained?: boolean
  entry?: Partial<AgentEntry>
  /** The socket of another tmux server. */
  socket?: string
}

/** A workspace and a tmux server for one test. Dispose ends every process that was started there. */
export class Rig implements AsyncDisposable {
  readonly folder: string
  readonly workspace: string
  readonly socket: string
  readonly #remove: () => Promise<void>
  readonly #dismiss: () => void
  readonly #before: NodeJS.ProcessEnv = {
    TMUX_TMPDIR: process.env.TMUX_TMPDIR,
    [SEARCHED_FOLDER]: process.env[SEARCHED_FOLDER],
  }
  readonly #children: ChildProcess[] = []
  /** Processes whose pids a test has read. Some emptied their environment, so dispose cannot find them by the mark. */
  readonly #seen: Identity[] = []

  private constructor(folder: string, remove: () => Promise<void>) {
    this.folder = folder
    this.workspace = path.join(folder, '.agent-workspace')
    this.socket = path.join(folder, `tmux-${process.getuid?.()}`, 'default')
    this.#remove = remove
    this.#dismiss = guard(MARK, folder).dismiss
    process.env.TMUX_TMPDIR = folder
    // Other tests have servers of this user, too, and agents of the same names.
    process.env[SEARCHED_FOLDER] = folder
    // Every process that the test starts inherits this mark, so dispose and the guard can find all of them.
    process.env[MARK] = folder
  }

  static async start(): Promise<Rig> {
    const { path: folder, cleanup } = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
    const rig = new Rig(fs.realpathSync(folder), cleanup)
    fs.mkdirSync(path.dirname(rig.socket), { mode: 0o700 })
    // The user's own session: it keeps the server alive, and must still exist at the end.
    rig.tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'user', 'sleep 1000')
    await initRegistries(rig.workspace)
    await addTask(rig.workspace, { task_id: TASK })
    return rig
  }

  tmux(...args: string[]): string {
    const { stdout, stderr, status } = spawnSync('tmux', ['-S', this.socket, ...args], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
    return stdout.trim()
  }

  sessions(): string[] {
    return this.tmux('list-sessions', '-F', '#{session_name}').split('\n')
  }

  ref(agentId: string): AgentRef {
    return { workspace: this.workspace, taskId: TASK, agentId }
  }

  /** Deploys an agent, and returns when its stream log contains `ready`, which the script prints. */
  async deploy(agentId: string, deployment: Deployment): Promise<AgentRef> {
    const ref = this.ref(agentId)
    this.writeFiles(ref)
    await nextClockTick()
    const launch = deployment.contained ? contain(ref, this.pipeline(ref, deployment)) : undefined
    const tmux = this.newSession(ref, deployment, launch?.command)
    const contained = await launch?.confirm(tmux.pane_pid)
    await addAgent(ref, {
      status: 'running',
      tmux_session: layout.sessionName(ref),
      started_at: new Date().toISOString(),
      ...(deployment.recorded !== false && { tmux, deployed_on: thisWorld() }),
      ...(contained && { contained }),
      ...deployment.entry,
    })
    await until(`${agentId} is ready`, () => readText(layout.streamLog(ref)).includes('ready'))
    return ref
  }

  /** Writes the files of an agent that its own pipeline does not write. */
  writeFiles(ref: AgentRef): void {
    for (const file of [
      layout.promptFile(ref),
      layout.progressFile(ref),
      layout.findingsFile(ref),
      layout.deployLog(ref),
    ])
      fs.writeFileSync(file, `{"file":"${path.basename(file)}"}\n`)
  }

  /** Waits until an agent's processes run exactly these programs: a script prints `ready` before its last children have been forked and executed. */
  async waitUntilRunning(ref: AgentRef, programs = ['bash', 'bash', 'sleep', 'tee']): Promise<void> {
    const names = () => this.processesOf(ref).map(line => line.split(' ')[1])
    await until(`${ref.agentId} runs ${programs.join(', ')}`, () =>
      isDeepStrictEqual(names().toSorted(), programs),
    )
  }

  newSession(
    ref: AgentRef,
    deployment: Deployment,
    command = ['bash', '-c', this.pipeline(ref, deployment)],
  ): RecordedTmux {
    const { marker = true, socket } = deployment
    const environment = marker ? ['-e', `LEAKRIG_AGENT=${agentMarker(ref)}`] : []
    const made = spawnSync(
      'tmux',
      [
        ...['-S', socket ?? this.socket, 'new-session', '-d', '-P', '-F', RECORD_FORMAT],
        ...['-s', layout.sessionName(ref), ...environment, '--', ...command],
      ],
      { encoding: 'utf8' },
    )
    return recordOf(made.stdout)
  }

  /** The pane's command, for bash. */
  pipeline(ref: AgentRef, deployment: Deployment): string {
    const { claude, writer = `tee ${layout.streamLog(ref)}`, before = '', after = '' } = deployment
    const script = path.join(this.folder, `${ref.agentId}.sh`)
    fs.writeFileSync(script, `cd ${this.folder}\n${claude}\n`)
    return `${before} bash ${script} | ${writer}; ${after}`
  }

  /** Waits for the pid that a script writes with `echo $! > <name>.pid`. */
  async pid(name: string): Promise<number> {
    const file = path.join(this.folder, `${name}.pid`)
    const pid = await until(`${name}.pid is written`, () => Number(readText(file)) || undefined)
    this.#seen.push({ pid, start: startOf(pid) ?? -1 })
    return pid
  }

  /** Starts a process that belongs to no agent and must survive. Returns its pid. */
  start(command: string, args: string[], env: NodeJS.ProcessEnv = {}): number {
    const options = { stdio: 'ignore', detached: true, env: { ...process.env, ...env } } as const
    const child = spawn(command, args, options)
    this.#children.push(child)
    if (child.pid === undefined) throw new Error(`${command} did not start`)
    return child.pid
  }

  entry(ref: AgentRef): AgentEntry {
    return readAgent(ref)
  }

  /** True for a process that this test started, also through others. The machine may have leftovers of somebody else. */
  isOwn(pid: number): boolean {
    const isMarked = `\0${readText(`/proc/${pid}/environ`)}`.includes(`\0${MARK}=${this.folder}\0`)
    return isMarked || this.#seen.some(one => one.pid === pid)
  }

  /** The processes that carry an agent's marker, each as `<pid> <program>`. */
  processesOf(ref: AgentRef): string[] {
    return this.#processes(`LEAKRIG_AGENT=${agentMarker(ref)}`).map(
      pid => `${pid} ${readProcess(pid)?.comm ?? 'gone'}`,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Killed by handle, because a child that overwrote its environment has lost the mark.
    for (const child of this.#children) child.kill('SIGKILL')
    const mark = `${MARK}=${this.folder}`
    await until('every process of the test has ended', () => {
      const left = this.#processes(mark).filter(pid => pid !== process.pid)
      const seen = this.#seen.filter(one => isAlive(one))
      for (const pid of [...left, ...seen.map(one => one.pid)]) kill(pid)
      return left.length + seen.length === 0
    })
    delete process.env[MARK]
    for (const [name, value] of Object.entries(this.#before))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    await this.#remove()
    this.#dismiss()
  }

  #processes(variable: string): number[] {
    const pids = fs.readdirSync('/proc').map(Number).filter(Number.isInteger)
    return pids.filter(pid => {
      const environment = `\0${readText(`/proc/${pid}/environ`)}`
      return environment.includes(`\0${variable}\0`) && isRunning(pid)
    })
  }
}

export function isRunning(pid: number): boolean {
  const start = startOf(pid)
  return start !== undefined && isAlive({ pid, start })
}

export function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended.
  }
}

/** What is left of an agent, to compare with NO_TRACES: processes, session, prompt, logs, archived logs, cleanup state. */
export function traces(rig: Rig, ref: AgentRef): Record<string, unknown> {
  const logs = [
    layout.streamLog(ref),
    layout.progressFile(ref),
    layout.findingsFile(ref),
    layout.deployLog(ref),
  ]
  return {
    processes: rig.processesOf(ref),
    session: rig.sessions().includes(layout.sessionName(ref)),
    prompt: fs.existsSync(layout.promptFile(ref)),
    logs: logs.filter(file => fs.existsSync(file)),
    archived: logs.filter(file => fs.existsSync(layout.archived(ref, file))).length,
    cleanup: rig.entry(ref).cleanup?.state,
  }
}

export const NO_TRACES = {
  processes: [],
  session: false,
  prompt: false,
  logs: [],
  archived: 4,
  cleanup: 'done',
}
