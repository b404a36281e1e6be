import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { AgentRef } from '../index.ts'
import {
  type AgentEntry,
  addTask,
  agentMarker,
  initRegistries,
  layout,
  RECORD_FORMAT,
  type RecordedTmux,
  recordOf,
} from '../orchestrator.ts'
import { MARKER } from '../platform/processes/environment.ts'
import { changeTask } from '../registry/registry.ts'

/** An agent's pane: a pipeline of three processes that TERM ends at once, one idle process, or a pipeline that ignores TERM and HUP. */
export type AgentKind = 'plain' | 'idle' | 'ignores TERM'

/** A deployed agent, with its session id and its processes. */
export interface Deployed {
  ref: AgentRef
  session: string
  pids: number[]
}

const MARK = 'LEAKRIG_BENCH'

/** A workspace and a tmux server for the benchmark. Dispose ends all its processes and removes its folder. */
export class BenchWorkspace implements Disposable {
  readonly folder: string
  readonly socket: string
  readonly #workspace: string
  #tasks = 0

  private constructor(folder: string) {
    this.folder = folder
    this.socket = path.join(folder, 'tmux')
    this.#workspace = path.join(folder, '.agent-workspace')
  }

  static async make(parent: string = os.tmpdir()): Promise<BenchWorkspace> {
    const bench = new BenchWorkspace(fs.realpathSync(fs.mkdtempSync(path.join(parent, 'lr-bench-'))))
    bench.tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'user', 'exec sleep 100000')
    await initRegistries(bench.#workspace)
    return bench
  }

  /** Deploys agents in a new task, and returns when all of their processes run. */
  async deploy(count: number, kind: AgentKind): Promise<Deployed[]> {
    const taskId = `TASK-${++this.#tasks}`
    await addTask(this.#workspace, { task_id: taskId })
    const refs = Array.from({ length: count }, (_, n) => ({
      workspace: this.#workspace,
      taskId,
      agentId: `t${this.#tasks}-${n}`,
    }))
    for (const ref of refs)
      for (const file of [layout.promptFile(ref), ...logs(ref)])
        fs.writeFileSync(file, `{"agent":"${ref.agentId}"}\n`)
    const sessions = this.#newSessions(refs, kind)
    await changeTask(this.#workspace, taskId, registry => {
      registry.agents.push(...refs.map((ref, n) => entryOf(ref, sessions[n])))
    })
    const size = kind === 'idle' ? 1 : 3
    return refs.map((ref, n) => {
      const { pane_pid = 0, session_id = '' } = sessions[n] ?? {}
      return { ref, session: session_id, pids: waitForProcesses(pane_pid, size) }
    })
  }

  tmux(...args: string[]): string {
    const env = { ...process.env, [MARK]: this.folder }
    return execFileSync('tmux', ['-S', this.socket, ...args], { encoding: 'utf8', env, maxBuffer: 1 << 24 })
  }

  /** Kills every process that inherited the mark, the tmux server included, and removes the folder. */
  [Symbol.dispose](): void {
    const mark = `${MARK}=${this.folder}\0`
    for (let left = marked(mark); left.length > 0; left = marked(mark)) for (const pid of left) kill(pid)
    fs.rmSync(this.folder, { recursive: true, force: true })
  }

  /** Opens all sessions with one command file: a thousand tmux clients would take longer than the benchmark. */
  #newSessions(refs: AgentRef[], kind: AgentKind): RecordedTmux[] {
    const file = path.join(this.folder, 'sessions.tmux')
    const lines = refs.map(ref => {
      const mark = `-e ${MARKER}=${agentMarker(ref)}`
      return `new-session -d -P -F '${RECORD_FORMAT}' -s ${layout.sessionName(ref)} ${mark} ${commandOf(kind, ref)}`
    })
    fs.writeFileSync(file, `${lines.join('\n')}\n`)
    return this.tmux('source-file', file).trim().split('\n').map(recordOf)
  }
}

/** The three logs that the report's cleanup moves. */
export const logs = (ref: AgentRef): string[] => [
  layout.streamLog(ref),
  layout.progressFile(ref),
  layout.findingsFile(ref),
]

function commandOf(kind: AgentKind, ref: AgentRef): string {
  if (kind === 'idle') return '"exec sleep 100000"'
  const writer = kind === 'plain' ? 'sleep 100000' : `(trap \\"\\" TERM HUP; exec sleep 100000)`
  return `"exec bash -c '${writer} | tee -a ${layout.streamLog(ref)}; :'"`
}

const entryOf = (ref: AgentRef, tmux: AgentEntry['tmux']): AgentEntry => ({
  id: ref.agentId,
  status: 'running',
  tmux_session: layout.sessionName(ref),
  started_at: new Date().toISOString(),
  ...(tmux && { tmux }),
})

/** The pane's process and its descendants. Waits until there are `size` of them and each has executed its program. */
function waitForProcesses(pane: number, size: number): number[] {
  const deadline = performance.now() + 30_000
  for (;;) {
    const pids = withDescendants(pane)
    const names = pids.map(pid => read(`/proc/${pid}/comm`).trim())
    const isWhole = size === 1 ? names[0] === 'sleep' : names.includes('sleep') && names.includes('tee')
    if (pids.length === size && isWhole) return pids
    if (performance.now() > deadline) throw new Error(`pane process ${pane} runs ${names}, expected ${size}`)
  }
}

function withDescendants(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
  return [pid, ...children.flatMap(withDescendants)]
}

function marked(mark: string): number[] {
  const pids = fs.readdirSync('/proc').map(Number).filter(Number.isInteger)
  return pids.filter(pid => read(`/proc/${pid}/environ`).includes(mark))
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
