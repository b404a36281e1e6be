import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AgentEntry, layout, readTaskRegistry } from '../index.ts'
import { Daemon } from './support/daemon.ts'
import { Rig } from './support/rig.ts'
import { until } from './support/until.ts'

const [PROMPTS, LOGS, SESSIONS, TASKS] = [78, 38, 4, 3]
const CLEAN_WITHIN_MS = 90_000

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Lays out one agent as the report's system does: no place in tmux, no marker, a field that we do not know. */
function layOut(n: number): { taskId: string; entry: AgentEntry } {
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
    // Every second one was reported as completed, and the counts were never told; the rest died with the machine.
    status: n % 2 === 0 ? 'completed' : 'running',
    tmux_session: session,
    started_at: '2025-10-29T22:00:00.000Z',
    prompt_file: layout.promptFile(ref),
    tracked_files: ['theirs'],
  }
  return { taskId, entry }
}

function filesBelow(pattern: RegExp): string[] {
  const names = fs.readdirSync(rig.workspace, { recursive: true, encoding: 'utf8' })
  return names.filter(name => pattern.test(name))
}

test('started late on the workspace that the report found, it cleans up all that has ended and nothing that lives', async () => {
  const agents = Array.from({ length: PROMPTS }, (_, n) => layOut(n))
  for (const [taskId, listed] of Map.groupBy(agents, ({ taskId }) => taskId)) {
    const registry = {
      task_id: taskId,
      agents: listed.map(({ entry }) => entry),
      active_count: 99,
      theirs: true,
    }
    fs.writeFileSync(layout.taskRegistry(rig.workspace, taskId), JSON.stringify(registry))
  }
  expect(filesBelow(/agent_prompt_/)).toHaveLength(PROMPTS)
  const daemon = await Daemon.start(rig)
  const entries = () =>
    [...new Set(agents.map(({ taskId }) => taskId))].flatMap(
      taskId => readTaskRegistry(rig.workspace, taskId).agents,
    )
  // Two of the four sessions belong to agents that are still running.
  const live = ['worker-1-abcdef', 'worker-3-abcdef']
  await until(
    'all that has ended is clean',
    () => entries().filter(({ cleanup }) => cleanup?.state === 'done').length === PROMPTS - live.length,
    CLEAN_WITHIN_MS,
  )
  expect(
    entries()
      .filter(({ status }) => status === 'running')
      .map(({ id }) => id)
      .sort(),
  ).toEqual(live)
  expect(filesBelow(/agent_prompt_/)).toHaveLength(live.length)
  expect(filesBelow(/logs\/.*_stream\.jsonl$/)).toHaveLength(live.length)
  expect(filesBelow(/archive\/.*_stream\.jsonl$/)).toHaveLength(LOGS - live.length)
  expect(rig.sessions().sort()).toEqual([...live.map(id => `agent_${id}`), 'user'])
  expect(entries().every(entry => Array.isArray(entry.tracked_files))).toBe(true)
  for (const { taskId } of agents.slice(0, TASKS)) {
    const registry = readTaskRegistry(rig.workspace, taskId)
    expect(registry).toMatchObject({ theirs: true })
    expect(registry.active_count).toBe(registry.agents.filter(({ status }) => status === 'running').length)
  }
  expect(await daemon.stop()).toBe(0)
})
