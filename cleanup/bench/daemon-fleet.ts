import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import type { AgentRef } from '../index.ts'
import {
  type AgentEntry,
  addTask,
  agentMarker,
  contain,
  initRegistries,
  isTerminal,
  layout,
  RECORD_FORMAT,
  type RecordedTmux,
  readTaskRegistry,
  recordOf,
} from '../orchestrator.ts'
import { startOf } from '../platform/processes/table.ts'
import { changeTask, readAgent } from '../registry/registry.ts'

/** An agent's pane command. A single sleeping process, so that a hundred agents fit on any machine. */
const LIGHT = 'exec sleep 100000'

export interface Deployed {
  ref: AgentRef
  tmux: RecordedTmux
}

/** Light agents in a temporary workspace, on their own tmux servers. Dispose ends the servers and removes the folder. */
export class Fleet implements Disposable {
  readonly folder: string
  readonly workspace: string
  readonly #servers = new Map<string, number>()

  private constructor(folder: string) {
    this.folder = folder
    this.workspace = path.join(folder, '.agent-workspace')
  }

  static async start(folder: string): Promise<Fleet> {
    const fleet = new Fleet(folder)
    await initRegistries(fleet.workspace)
    return fleet
  }

  /** Deploys agents, each in its own session on the named server. Adds the task if it does not exist. */
  async deploy(taskId: string, server: string, ids: string[], command = LIGHT): Promise<Deployed[]> {
    await this.#addTask(taskId)
    const shell = ['sh', '-c', command]
    const deployed = ids.map(agentId => this.#open(this.#ref(taskId, agentId), server, shell))
    await this.#register(
      taskId,
      deployed.map(({ ref, tmux }) => entryOf(ref, tmux)),
    )
    return deployed
  }

  /** Deploys one agent as our own orchestrator does: in a cgroup or below tini if the machine allows it. */
  async deployContained(taskId: string, server: string, id: string, command: string): Promise<Deployed> {
    await this.#addTask(taskId)
    const ref = this.#ref(taskId, id)
    const launch = contain(ref, command)
    const deployed = this.#open(ref, server, launch.command)
    const contained = await launch.confirm(deployed.tmux.pane_pid)
    await this.#register(taskId, [{ ...entryOf(ref, deployed.tmux), ...(contained && { contained }) }])
    return deployed
  }

  tmux(server: string, ...args: string[]): string {
    const { stdout, stderr, status } = spawnSync(
      'tmux',
      ['-f', '/dev/null', '-S', this.socket(server), ...args],
      {
        encoding: 'utf8',
      },
    )
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`)
    return stdout.trim()
  }

  socket(server: string): string {
    return path.join(this.folder, server)
  }

  isClean({ ref }: Deployed): boolean {
    return readAgent(ref).cleanup?.state === 'done'
  }

  /** True if every agent of the task has ended and is cleaned up. */
  areClean(taskId: string): boolean {
    const { agents } = readTaskRegistry(this.workspace, taskId)
    return agents.every(({ status, cleanup }) => isTerminal(status) && cleanup?.state === 'done')
  }

  [Symbol.dispose](): void {
    for (const [socket, pid] of this.#servers)
      if (startOf(pid) !== undefined) spawnSync('tmux', ['-S', socket, 'kill-server'])
    fs.rmSync(this.folder, { recursive: true, force: true })
  }

  #ref(taskId: string, agentId: string): AgentRef {
    return { workspace: this.workspace, taskId, agentId }
  }

  async #addTask(taskId: string): Promise<void> {
    const file = layout.taskRegistry(this.workspace, taskId)
    if (!fs.existsSync(file)) await addTask(this.workspace, { task_id: taskId })
  }

  #register(taskId: string, entries: AgentEntry[]): Promise<void> {
    return changeTask(this.workspace, taskId, registry => {
      registry.agents.push(...entries)
    })
  }

  #open(ref: AgentRef, server: string, command: string[]): Deployed {
    fs.writeFileSync(layout.promptFile(ref), 'a prompt\n')
    fs.writeFileSync(layout.streamLog(ref), '{"type":"system","subtype":"init"}\n')
    const session = ['-s', layout.sessionName(ref), '-e', `LEAKRIG_AGENT=${agentMarker(ref)}`]
    const log = ['-e', `LOG=${layout.streamLog(ref)}`]
    const line = this.tmux(
      server,
      'new-session',
      '-d',
      '-P',
      '-F',
      RECORD_FORMAT,
      ...session,
      ...log,
      '--',
      ...command,
    )
    const tmux = recordOf(line)
    this.#servers.set(tmux.socket, tmux.server_pid)
    return { ref, tmux }
  }
}

function entryOf(ref: AgentRef, tmux: RecordedTmux): AgentEntry {
  return {
    id: ref.agentId,
    status: 'running',
    tmux_session: layout.sessionName(ref),
    started_at: new Date().toISOString(),
    tmux,
  }
}
