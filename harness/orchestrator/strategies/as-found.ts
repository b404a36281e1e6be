import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AgentEntry, type AgentRef, layout } from '../../../cleanup/orchestrator.ts'
import { parseExactly } from '../../json.ts'
import { killSession } from '../tmux.ts'
import type { Strategy } from './strategy.ts'

/**
 * The report's system as found (sections 2.1 and 2.2), faults included: it reads, changes and writes registries without a
 * lock; an ending changes a status and a count; a kill ends the session by its bare name; processes, prompts and logs are
 * ignored, and the global registry never records an ending.
 */
export const asFound: Strategy = {
  name: 'none',

  async start(workspace) {
    const counts = { total_tasks: 0, active_tasks: 0, total_agents_spawned: 0, active_agents: 0 }
    const created_at = new Date().toISOString()
    if (!existsSync(layout.globalRegistry(workspace))) {
      write(layout.globalRegistry(workspace), { created_at, ...counts, tasks: {}, agents: {} })
    }
  },

  async addTask(workspace, task) {
    const registry = { ...task, agents: [], total_spawned: 0, active_count: 0, completed_count: 0 }
    write(layout.taskRegistry(workspace, task.task_id), registry)
    change(layout.globalRegistry(workspace), global => {
      global.total_tasks += 1
      global.active_tasks += 1
      global.tasks = { ...global.tasks, [task.task_id]: task }
    })
  },

  async addAgent(agent, entry) {
    change(layout.taskRegistry(agent.workspace, agent.taskId), task => {
      task.agents.push(entry)
      task.total_spawned += 1
      task.active_count += 1
    })
    change(layout.globalRegistry(agent.workspace), global => {
      global.total_agents_spawned += 1
      global.active_agents += 1
      global.agents = { ...global.agents, [agent.agentId]: { task_id: agent.taskId, ...entry } }
    })
  },

  async updateAgent(agent, update) {
    change(layout.taskRegistry(agent.workspace, agent.taskId), task =>
      update(find(task.agents, agent.agentId)),
    )
  },

  async readTask(workspace, taskId) {
    return read(layout.taskRegistry(workspace, taskId))
  },

  async ended(agent, { status }) {
    markEnded(agent, status)()
    return {}
  },

  async kill(agent) {
    const killed = await killSession(layout.sessionName(agent))
    markEnded(agent, 'terminated')()
    return { tmux_session_killed: killed }
  },
}

/**
 * Marks an agent's end in a copy of its task's registry. The returned function writes the copy, and so loses what others
 * have written meanwhile.
 */
export function markEnded(agent: AgentRef, status: string): () => void {
  const path = layout.taskRegistry(agent.workspace, agent.taskId)
  const task = read(path)
  Object.assign(find(task.agents, agent.agentId), { status, completed_at: new Date().toISOString() })
  task.active_count = Math.max(0, task.active_count - 1)
  if (status === 'completed') task.completed_count += 1
  return () => write(path, task)
}

// biome-ignore lint/suspicious/noExplicitAny: the registries are open JSON, and this code does not check them
type Json = any

function read(path: string): Json {
  // The report's system is written in Python, which keeps such numbers and escapes.
  return parseExactly(readFileSync(path, 'utf8'))
}

function write(path: string, data: Json): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, JSON.stringify(data, null, 2))
}

function change(path: string, update: (data: Json) => void): void {
  const data = read(path)
  update(data)
  write(path, data)
}

function find(agents: AgentEntry[], id: string): AgentEntry {
  const entry = agents.find(agent => agent.id === id)
  if (!entry) throw new Error(`No agent ${id} in the registry of its task.`)
  return entry
}
