import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { guard } from '../../../test/guard.ts'
import { Orchestrator, orchestratorArgs } from './orchestrator.ts'

/** A workspace in a temporary folder, with registries that the test wrote, and instances that serve it. */
export class Workspace implements AsyncDisposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'leakrig-mcp-')))
  readonly path = join(this.folder, 'workspace')
  /** The environment of every instance, which keeps it away from the user's own tmux and home. */
  readonly env: { CLAUDE_ORCHESTRATOR_WORKSPACE: string; TMUX_TMPDIR: string; HOME: string }
  readonly #started: Orchestrator[] = []
  /** By HOME: a daemon that the test has stopped would end neither by itself nor on TERM. */
  readonly #guard = guard('HOME', this.folder)

  /** `tasks`: the agents of each task, by id, with their parents. */
  constructor(tasks: Record<string, Record<string, string>>, fields: Record<string, object> = {}) {
    const tmux = join(this.folder, 'tmux')
    mkdirSync(tmux)
    this.env = { CLAUDE_ORCHESTRATOR_WORKSPACE: this.path, TMUX_TMPDIR: tmux, HOME: this.folder }
    const listed: Record<string, object> = {}
    const agents: Record<string, object> = {}
    for (const [task_id, parents] of Object.entries(tasks)) {
      const entries = Object.entries(parents).map(([id, parent]) => ({ id, parent, status: 'working' }))
      const counts = { total_spawned: entries.length, active_count: entries.length, completed_count: 0 }
      this.write(`${task_id}/AGENT_REGISTRY.json`, {
        task_id,
        ...fields[task_id],
        ...counts,
        agents: entries,
      })
      for (const name of ['logs', 'progress', 'findings', 'archive'])
        mkdirSync(join(this.path, task_id, name))
      for (const { id } of entries) this.writeText(`${task_id}/logs/${id}_stream.jsonl`, `log of ${id}\n`)
      listed[task_id] = { task_id }
      for (const entry of entries) agents[entry.id] = { task_id, ...entry }
    }
    this.write('registry/GLOBAL_REGISTRY.json', { tasks: listed, agents })
  }

  /** An instance as it runs inside an agent (`task/id`), or with any other marker; without one, the outer instance. */
  async instance(strategy: string, marker?: string, env: Record<string, string> = {}): Promise<Orchestrator> {
    const own = marker === undefined ? {} : { LEAKRIG_AGENT: marker }
    return this.start(orchestratorArgs(strategy), { ...own, ...env })
  }

  inside(strategy: string, agent: string, env?: Record<string, string>): Promise<Orchestrator> {
    return this.instance(strategy, join(this.path, agent), env)
  }

  /** An instance from the arguments of Node. */
  async start(args: string[], env: Record<string, string>): Promise<Orchestrator> {
    const one = await Orchestrator.start(args, { ...this.env, ...env })
    this.#started.push(one)
    return one
  }

  write(file: string, data: object): void {
    this.writeText(file, JSON.stringify(data))
  }

  writeText(file: string, text: string): void {
    mkdirSync(dirname(join(this.path, file)), { recursive: true })
    writeFileSync(join(this.path, file), text)
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), 'utf8')
  }

  entry(agent: string): Record<string, unknown> {
    const [task, id] = agent.split('/')
    return this.agents(task ?? '').find(one => one.id === id) ?? {}
  }

  agents(task: string): Record<string, unknown>[] {
    return JSON.parse(this.read(`${task}/AGENT_REGISTRY.json`)).agents
  }

  /** Every file with its text, to compare before and after. */
  everything(): Record<string, string> {
    const files = readdirSync(this.path, { recursive: true, withFileTypes: true })
    const regular = files.filter(file => file.isFile() && !file.name.endsWith('.lock'))
    return Object.fromEntries(
      regular.map(({ parentPath, name }) => [
        join(parentPath, name),
        readFileSync(join(parentPath, name), 'utf8'),
      ]),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#started) await one[Symbol.asyncDispose]()
    // Its own server, on a socket in this folder, where something was deployed.
    if (readdirSync(this.env.TMUX_TMPDIR).length > 0)
      await execa('tmux', ['kill-server'], { env: this.env, reject: false })
    await this.#guard.cleanUp()
  }
}
