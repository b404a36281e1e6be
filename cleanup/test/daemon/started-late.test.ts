import { afterEach, beforeEach, expect, test } from 'vitest'
import { readTaskRegistry } from '../../orchestrator.ts'
import { Daemon } from '../support/daemon.ts'
import { createReportWorkspace, filesBelow, LIVE, LOGS, PROMPTS, TASKS } from '../support/report-workspace.ts'
import { Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

const CLEAN_WITHIN_MS = 90_000

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

test('started late on the workspace that the report found, the daemon cleans up all ended agents and no live one', async () => {
  const agents = createReportWorkspace(rig)
  const below = (pattern: RegExp) => filesBelow(rig.workspace, pattern)
  expect(below(/agent_prompt_/)).toHaveLength(PROMPTS)
  const daemon = await Daemon.start(rig)
  const tasks = new Set(agents.map(({ ref }) => ref.taskId))
  const entries = () => [...tasks].flatMap(taskId => readTaskRegistry(rig.workspace, taskId).agents)
  await until(
    'all that has ended is clean',
    () => entries().filter(({ cleanup }) => cleanup?.state === 'done').length === PROMPTS - LIVE.length,
    CLEAN_WITHIN_MS,
  )
  const running = entries().filter(({ status }) => status === 'running')
  expect(running.map(({ id }) => id).sort()).toEqual(LIVE)
  expect(below(/agent_prompt_/)).toHaveLength(LIVE.length)
  expect(below(/logs\/.*_stream\.jsonl$/)).toHaveLength(LIVE.length)
  expect(below(/archive\/.*_stream\.jsonl$/)).toHaveLength(LOGS - LIVE.length)
  expect(rig.sessions().sort()).toEqual([...LIVE.map(id => `agent_${id}`), 'user'])
  expect(entries().every(entry => Array.isArray(entry.tracked_files))).toBe(true)
  expect(tasks.size).toBe(TASKS)
  for (const taskId of tasks) {
    const registry = readTaskRegistry(rig.workspace, taskId)
    expect(registry).toMatchObject({ theirs: true })
    expect(registry.active_count).toBe(registry.agents.filter(({ status }) => status === 'running').length)
  }
  expect(await daemon.stop()).toBe(0)
})
