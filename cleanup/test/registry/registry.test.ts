import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { dir } from 'tmp-promise'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { recordIntent } from '../../index.ts'
import {
  addAgent,
  addTask,
  initRegistries,
  layout,
  readTaskRegistry,
  updateAgent,
} from '../../orchestrator.ts'
import { agentByte, lock, lockNow, REGISTRY_BYTE } from '../../registry/locks.ts'
import { changeTask, peekTaskRegistry, readAgent, readGlobalRegistry } from '../../registry/registry.ts'

const WRITER = testProgram('registry-writer')
const taskId = 'TASK-1'

let workspace: string
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await dir({ prefix: 'lr-', unsafeCleanup: true })
  workspace = path.join(made.path, '.agent-workspace')
  remove = made.cleanup
  await initRegistries(workspace)
  await addTask(workspace, { task_id: taskId, task_description: 'a task' })
})
afterEach(() => remove())

const ref = (agentId: string) => ({ workspace, taskId, agentId })
const file = () => layout.taskRegistry(workspace, taskId)

test('a registry that is read again and again is parsed once, and only the last few are kept', async () => {
  const peek = (id: string) => peekTaskRegistry(workspace, id)
  const first = peek(taskId)
  expect(peek(taskId)).toBe(first)
  await addAgent(ref('a'), { status: 'running' })
  expect(peek(taskId).agents.map(({ id }) => id)).toEqual(['a'])
  const kept = peek(taskId)
  for (let n = 2; n < 12; n++) {
    await addTask(workspace, { task_id: `TASK-${n}` })
    peek(`TASK-${n}`)
  }
  expect(peek(taskId)).not.toBe(kept)
  expect(peek(taskId)).toEqual(kept)
})

test('ten processes at once lose no update', async () => {
  const ids = Array.from({ length: 10 }, (_, n) => `a${n}`)
  await Promise.all(ids.map(id => addAgent(ref(id), { status: 'running' })))
  const writers = ids.map(id =>
    spawn(process.execPath, [WRITER, workspace, taskId, id, '5'], { stdio: 'inherit' }),
  )
  await Promise.all(writers.map(writer => once(writer, 'exit')))
  const { agents, ...task } = readTaskRegistry(workspace, taskId)
  expect(agents.map(({ progress, status }) => [progress, status])).toEqual(ids.map(() => [5, 'completed']))
  expect(task).toMatchObject({ total_spawned: 10, active_count: 0, completed_count: 10 })
  expect(readGlobalRegistry(workspace)).toMatchObject({ total_agents_spawned: 10, active_agents: 0 })
})

test('counts follow the statuses, whatever they said before; unknown words count as live', async () => {
  await addAgent(ref('a'), { status: 'running' })
  await addAgent(ref('b'), { status: 'completed' })
  await addAgent(ref('c'), { status: 'pondering' })
  await addAgent(ref('d'), { status: 'crashed' })
  const known = JSON.parse(fs.readFileSync(file(), 'utf8'))
  fs.writeFileSync(
    file(),
    JSON.stringify({ ...known, active_count: -3, completed_count: 99, total_spawned: 7 }),
  )
  await updateAgent(ref('a'), entry => {
    entry.progress = 5
  })
  expect(readTaskRegistry(workspace, taskId)).toMatchObject({
    active_count: 2,
    completed_count: 1,
    total_spawned: 7,
  })
  expect(readGlobalRegistry(workspace)).toMatchObject({ active_agents: 2, total_agents_spawned: 4 })
})

test('fields that we do not know survive', async () => {
  await addAgent(ref('a'), { status: 'running', theirs: { deep: [1] } })
  await changeTask(workspace, taskId, registry => {
    registry.their_field = 'kept'
  })
  await updateAgent(ref('a'), entry => {
    entry.status = 'blocked'
  })
  expect(readTaskRegistry(workspace, taskId)).toMatchObject({
    their_field: 'kept',
    task_description: 'a task',
  })
  expect(readAgent(ref('a'))).toMatchObject({ status: 'blocked', theirs: { deep: [1] } })
})

test('an entry without a status counts as live, a global registry without lists has none yet', async () => {
  await addAgent(ref('a'), { status: 'running' })
  await addAgent(ref('b'), { status: 'completed' })
  const file = layout.taskRegistry(workspace, taskId)
  const registry = JSON.parse(fs.readFileSync(file, 'utf8'))
  delete registry.agents[0].status
  delete registry.active_count
  fs.writeFileSync(
    file,
    JSON.stringify({ ...registry, agents: [...registry.agents, { id: 'c', status: null }] }),
  )
  fs.writeFileSync(layout.globalRegistry(workspace), '{"theirs": 1}')
  await updateAgent(ref('b'), entry => {
    entry.progress = 1
  })
  expect(readTaskRegistry(workspace, taskId)).toMatchObject({ active_count: 2, completed_count: 1 })
  expect(readGlobalRegistry(workspace)).toMatchObject({ theirs: 1, agents: { b: { status: 'completed' } } })
})

test.each([
  ['[]', 'it is no object'],
  ['{}', 'it has no list "agents"'],
  ['{"agents": {}}', 'it has no list "agents"'],
])('%s is refused, and it is said why', (text, why) => {
  fs.writeFileSync(layout.taskRegistry(workspace, taskId), text)
  expect(() => readTaskRegistry(workspace, taskId)).toThrow(`it is JSON, but ${why}`)
})

test('a change that throws leaves no trace, and the others go through', async () => {
  await addAgent(ref('a'), { status: 'running' })
  const results = await Promise.allSettled([
    updateAgent(ref('a'), entry => {
      entry.first = 1
    }),
    updateAgent(ref('a'), entry => {
      entry.second = 2
      throw new Error('changed my mind')
    }),
    updateAgent(ref('a'), entry => {
      entry.third = 3
    }),
  ])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  const entry = readAgent(ref('a'))
  expect([entry.first, entry.second, entry.third]).toEqual([1, undefined, 3])
})

test('the first terminal status stays, whoever comes first', async () => {
  await addAgent(ref('a'), { status: 'running' })
  await Promise.all([
    recordIntent(ref('a'), { status: 'completed', reason: 'first' }),
    recordIntent(ref('a'), { status: 'crashed', reason: 'second' }),
  ])
  expect(readAgent(ref('a'))).toMatchObject({
    status: 'completed',
    reason: 'first',
    cleanup: { state: 'pending' },
  })
})

test('a task and an agent are made once', async () => {
  await expect(addTask(workspace, { task_id: taskId })).rejects.toMatchObject({ code: 'already-there' })
  await addAgent(ref('a'), { status: 'running' })
  await expect(addAgent(ref('a'), { status: 'running' })).rejects.toMatchObject({ code: 'already-there' })
  await initRegistries(workspace)
  expect(Object.keys(readGlobalRegistry(workspace).agents)).toEqual(['a'])
})

test('a registry without a global one beside it is kept all the same', async () => {
  await addAgent(ref('a'), { status: 'running' })
  fs.rmSync(layout.globalRegistry(workspace))
  await updateAgent(ref('a'), entry => {
    entry.status = 'completed'
  })
  expect(readTaskRegistry(workspace, taskId).active_count).toBe(0)
})

test('a lock ends with its holder, and each agent has a byte of its own', async () => {
  const path = `${file()}.lock`
  const script = `const { lockNow } = await import(${JSON.stringify(new URL('../../registry/locks.ts', import.meta.url).href)})
    globalThis.held = lockNow(${JSON.stringify(path)}, 0); console.log('held'); setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(holder.stdout, 'data')
    expect(lockNow(path, REGISTRY_BYTE)).toBeUndefined()
    using other = lockNow(path, agentByte('a'))
    expect(other).toBeDefined()
    expect(lockNow(path, agentByte('a'))).toBeUndefined()
    await expect(lock(path, REGISTRY_BYTE, 20)).rejects.toMatchObject({ code: 'lock-held' })
    // The holder writes the registry all the time, and never lets go.
    let sign = 0
    await expect(lock(path, REGISTRY_BYTE, 20, () => ++sign)).rejects.toMatchObject({ code: 'lock-held' })
  } finally {
    holder.kill('SIGKILL')
  }
  using ours = await lock(path, REGISTRY_BYTE, 5_000)
  expect(ours).toBeDefined()
})
