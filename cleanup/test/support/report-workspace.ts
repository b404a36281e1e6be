import fs from 'node:fs'
import path from 'node:path'
import type { AgentRef } from '../../index.ts'
import { type AgentEntry, layout } from '../../orchestrator.ts'
import type { Rig } from './rig.ts'

/** What the report counted on its machine; it does not say in how many tasks. */
export const [PROMPTS, LOGS, TASKS] = [78, 38, 3]
const SESSIONS = 4

export interface Left {
  ref: AgentRef
  entry: AgentEntry
}

/**
 * Lays out a workspace as the report's system left it: no place in tmux, no marker, fields that we do not know, counts
 * that are wrong. Every second agent was reported as completed, and the rest died with the machine but for two of the
 * four that have a session. `forget` takes fields from an entry that the orchestrator did not write.
 */
export function layOutReport(rig: Rig, forget: (entry: AgentEntry, n: number) => void = () => {}): Left[] {
  const agents = Array.from({ length: PROMPTS }, (_, n) => layOut(rig, n))
  for (const [n, { entry }] of agents.entries()) forget(entry, n)
  for (const [taskId, listed] of Map.groupBy(agents, ({ ref }) => ref.taskId)) {
    const registry = {
      task_id: taskId,
      agents: listed.map(({ entry }) => entry),
      active_count: 99,
      theirs: true,
    }
    fs.writeFileSync(layout.taskRegistry(rig.workspace, taskId), JSON.stringify(registry))
  }
  return agents
}

function layOut(rig: Rig, n: number): Left {
  const taskId = `TASK-old-${n % TASKS}`
  const ref = { workspace: rig.workspace, taskId, agentId: `worker-${n}-abcdef` }
  for (const folder of ['logs', 'progress', 'findings'])
    fs.mkdirSync(path.join(layout.taskFolder(rig.workspace, taskId), folder), { recursive: true })
  fs.writeFileSync(layout.promptFile(ref), 'do this\n')
  if (n < LOGS) fs.writeFileSync(layout.streamLog(ref), '{"type":"system","subtype":"init"}\n')
  const session = layout.sessionName(ref)
  if (n < SESSIONS)
    rig.tmux('new-session', '-d', '-s', session, `sleep 1000 | tee -a ${layout.streamLog(ref)}`)
  const entry = {
    id: ref.agentId,
    status: n % 2 === 0 ? 'completed' : 'running',
    tmux_session: session,
    started_at: '2025-10-29T22:00:00.000Z',
    prompt_file: layout.promptFile(ref),
    tracked_files: ['theirs'],
  }
  return { ref, entry }
}

/** The agents that are still at work. */
export const LIVE = ['worker-1-abcdef', 'worker-3-abcdef']

/** The files of a workspace whose path in it matches. */
export function filesBelow(workspace: string, pattern: RegExp): string[] {
  return fs.readdirSync(workspace, { recursive: true, encoding: 'utf8' }).filter(name => pattern.test(name))
}
