import fs from 'node:fs'
import path from 'node:path'
import type { AgentRef } from '../../index.ts'
import { type AgentEntry, layout } from '../../orchestrator.ts'
import type { Rig } from './rig.ts'

/** The numbers of prompts and logs that the report counted. It does not give the number of tasks: 3 is our choice. */
export const [PROMPTS, LOGS, TASKS] = [78, 38, 3]
const SESSIONS = 4

export interface OldAgent {
  ref: AgentRef
  entry: AgentEntry
}

/**
 * Creates a workspace as the report's system left it: no recorded tmux location, no markers, unknown fields, wrong counts.
 * Every second agent is recorded as completed. Four agents have a tmux session; two of these are still running, and the
 * other agents recorded as running are dead. `edit` may change an entry, for example delete fields.
 */
export function createReportWorkspace(
  rig: Rig,
  edit: (entry: AgentEntry, n: number) => void = () => {},
): OldAgent[] {
  const agents = Array.from({ length: PROMPTS }, (_, n) => createAgent(rig, n))
  for (const [n, { entry }] of agents.entries()) edit(entry, n)
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

function createAgent(rig: Rig, n: number): OldAgent {
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

/** The agents that still run. */
export const LIVE = ['worker-1-abcdef', 'worker-3-abcdef']

/** The files whose path relative to the workspace matches. */
export function filesBelow(workspace: string, pattern: RegExp): string[] {
  return fs.readdirSync(workspace, { recursive: true, encoding: 'utf8' }).filter(name => pattern.test(name))
}
