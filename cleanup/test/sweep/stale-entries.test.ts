import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cleanUp } from '../../index.ts'
import { addTask, layout } from '../../orchestrator.ts'
import { readGlobalRegistry } from '../../registry/registry.ts'
import { leakrig } from '../support/cli.ts'
import { Rig } from '../support/rig.ts'

const idle = 'echo ready; sleep 1000 & wait'
const OLD = '2026-01-01T00:00:00Z'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const sweep = (...args: string[]) => leakrig(['sweep', rig.workspace, ...args])
const statuses = () =>
  Object.fromEntries(
    Object.entries(readGlobalRegistry(rig.workspace).agents).map(([id, { status }]) => [id, status]),
  )

/** Writes entries into the global registry as another program does: over what is there, without asking. */
function write(entries: Record<string, Record<string, unknown>>): void {
  const file = layout.globalRegistry(rig.workspace)
  const global = JSON.parse(fs.readFileSync(file, 'utf8'))
  for (const [id, entry] of Object.entries(entries)) global.agents[id] = { ...global.agents[id], ...entry }
  fs.writeFileSync(file, JSON.stringify(global))
}

test('entries of the global registry that count as live, though nothing is left of their agents', async () => {
  const done = await rig.deploy('done', { claude: idle, entry: { started_at: OLD } })
  await cleanUp(done, { status: 'completed', reason: 'it said so', graceMs: 500 })
  await rig.deploy('working', { claude: idle, entry: { started_at: OLD } })
  await addTask(rig.workspace, { task_id: 'TASK-cut' })
  fs.truncateSync(layout.taskRegistry(rig.workspace, 'TASK-cut'), 9)
  rig.tmux('new-session', '-d', '-s', 'agent_session', 'sleep 1000')
  const gone = { task_id: 'TASK-removed', status: 'running', started_at: OLD }
  write({
    done: { status: 'running' },
    gone,
    unlisted: { ...gone, task_id: 'TASK-1' },
    session: gone,
    young: { ...gone, started_at: new Date().toISOString() },
    'in-doubt': { ...gone, task_id: 'TASK-cut' },
    ended: { ...gone, status: 'completed' },
  })
  const before = statuses()

  const { out } = sweep('--min-age', '3600')
  expect(out).toMatch(/TASK-1\/done, which the global registry counts as live, is registered as completed: /)
  expect(out).toMatch(
    /TASK-removed\/gone, which .* live, is only with --orphans registered as crashed: no task’s/,
  )
  expect(out).toMatch(/TASK-1\/unlisted, which .* live, is only with --orphans/)
  expect(out).not.toMatch(/(session|young|in-doubt|ended|working), which the global registry/)
  expect(statuses()).toEqual(before)

  sweep('--min-age', '3600', '--apply')
  expect(statuses()).toEqual({ ...before, done: 'completed' })

  // Its session is none of an orphan as long as a registry cannot be read, so it stays in any case.
  sweep('--min-age', '3600', '--apply', '--orphans')
  expect(statuses()).toEqual({ ...before, done: 'completed', gone: 'crashed', unlisted: 'crashed' })
  // working, session, young, in-doubt
  expect(readGlobalRegistry(rig.workspace)).toMatchObject({ active_agents: 4 })
  expect(rig.sessions()).toContain('agent_session')
})
