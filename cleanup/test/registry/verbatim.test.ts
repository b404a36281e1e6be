import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { dir } from 'tmp-promise'
import { afterEach, beforeEach, expect, test } from 'vitest'
import fc from '../../../test/fast-check.ts'
import { needs } from '../../../test/needs.ts'
import { recordIntent } from '../../index.ts'
import { addAgent, addTask, initRegistries, layout, updateAgent } from '../../orchestrator.ts'
import { recordDone, recordProblems } from '../../registry/intent.ts'
import { isDone } from '../../registry/lifecycle.ts'
import { readAgent, readGlobalRegistry, readTaskRegistry } from '../../registry/registry.ts'
import { syncGlobal } from '../../registry/sync-global.ts'
import { reopenCleanup } from '../../registry/update.ts'
import { spelled } from '../support/spelled-json.ts'

const taskId = 'TASK-1'

let workspace: string
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await dir({ prefix: 'lr-', unsafeCleanup: true })
  workspace = path.join(made.path, '.agent-workspace')
  remove = made.cleanup
  await initRegistries(workspace)
  await addTask(workspace, { task_id: taskId })
})
afterEach(() => remove())

const ref = (agentId: string) => ({ workspace, taskId, agentId })
const task = () => layout.taskRegistry(workspace, taskId)
const global = () => layout.globalRegistry(workspace)
const read = (file: string) => fs.readFileSync(file, 'utf8')

/** The values that a cleanup changes, taken out of a text: what remains must be as before. */
const withoutTimes = (text: string): string => text.replaceAll(/("last_update" ?: ?)"[^"]*"/g, '$1"..."')

/** A task registry with values that no program may lose: digits, escapes, doubled keys and a mark. */
const TASK = (status: string) => `\ufeff{\r
\t"task_id" : "TASK-1",\r
\t"budget": 10000000000000000000000000, "limit": 1e400, "ratio": 1.0, "none": NaN, "least": -Infinity,\r
\t"total_spawned": 3.0, "active_count": ${status === 'running' ? 2 : 1},\r
\t"agents": [\r
\t\t{"id":"a", "status":"${status}", "last_update": "...", "seed": 1764398123456789123, "note": "\\ud83d \\u00e9\\/"},\r
\t\tNaN,\r
\t\t{ "id": "b" , "id" : "b", "status" : null, "more" : { } }\r
\t],\r
\t"completed_count": ${status === 'completed' ? 1 : 0},\r
\t"__proto__": {"kept": 1.50}, "7": 1, "6": 0.10\r
}`

test('a change leaves every other byte of a task registry', async () => {
  fs.writeFileSync(task(), TASK('running'))
  fs.rmSync(global())
  await updateAgent(ref('a'), entry => {
    entry.status = 'completed'
  })
  expect(withoutTimes(read(task()))).toBe(TASK('completed'))
  expect(readTaskRegistry(workspace, taskId).agents.map(({ id, status }) => [id, status])).toEqual([
    ['a', 'completed'],
    ['b', 'unknown'],
  ])
})

test('the end of an agent leaves every other byte of both registries', async () => {
  fs.writeFileSync(task(), TASK('running'))
  const others = '"agents":{"x":{"task_id":"T","status":"done","started_at":1764398123456789123.0}}'
  fs.writeFileSync(global(), `{"version":1.0,"big":1e999,${others},"tasks":{"TASK-1":NaN}}`)
  const ending = { status: 'completed', reason: 'it \u2028 reported so' }
  const entry = await recordIntent(ref('a'), ending)
  await recordDone(ref('a'), entry, ending)
  const [head, agent, ...rest] = TASK('completed').split(/(?=\t\t\{"id":"a")|(?=\},\r\n\t\tNaN)/)
  const text = withoutTimes(read(task()))
  expect(text.slice(0, (head + (agent ?? '')).length)).toBe(head + (agent ?? ''))
  expect(text.slice(-rest.join('').length)).toBe(rest.join(''))
  expect(
    read(global()).startsWith(`{"version":1.0,"big":1e999,${others.slice(0, -1)},"a":{"task_id":"TASK-1",`),
  ).toBe(true)
  expect(readGlobalRegistry(workspace)).toMatchObject({
    active_agents: 1,
    agents: { a: { reason: ending.reason } },
  })
})

test('a copy in the global registry has the digits of the original', async () => {
  await addAgent(ref('a'), { status: 'running' })
  const started = '"started_at": 1764398123456789123'
  fs.writeFileSync(
    task(),
    `{"agents": [{"id": "x"}, {"id": "a", "status": "running", ${started}, "cleanup": {"state": "pending", "nanos": 1.0}}]}`,
  )
  await syncGlobal(ref('a'))
  expect(read(global())).toContain(`${started},\n`)
  expect(read(global())).toContain('"nanos": 1.0\n')
  const text = read(global())
  await syncGlobal(ref('a'))
  expect(read(global())).toBe(text)
})

test('copies follow what another program writes, in each task, by the first of two entries with one id', async () => {
  const tasks = [taskId, 'TASK-2']
  await addTask(workspace, { task_id: 'TASK-2' })
  for (const round of [1, 2]) {
    const started = (task: number, agent: string) =>
      `${round}${task}${agent === 'a' ? 3 : 4}64398123456789123`
    const written: string[] = []
    for (const [n, taskId] of tasks.entries()) {
      const entries = ['a', 'b'].map(
        agent => `{"id": "${agent}${n}", "status": "running", "started_at": ${started(n, agent)}}`,
      )
      const doubled = `{"id": "a${n}", "status": "running", "started_at": 5.0}`
      fs.writeFileSync(layout.taskRegistry(workspace, taskId), `{"agents": [${entries}, ${doubled}]}`)
    }
    // The task that was read last comes first in the next round.
    const order = [...tasks.entries()].toSorted(([n], [m]) => (round === 1 ? n - m : m - n))
    for (const [n, taskId] of order)
      for (const agent of ['a', 'b']) {
        await syncGlobal({ workspace, taskId, agentId: `${agent}${n}` })
        written.push(started(n, agent))
      }
    const found = [...read(global()).matchAll(/"started_at": ([^,}\n]*)/g)].map(([, text]) => text)
    expect(found.toSorted()).toEqual(written.toSorted())
  }
})

test.each(['1764398123456789123', '1764398123.0', '"2026-11-30T11:00:00.123456789Z"'])(
  'the record of a cleanup repeats the start of its agent in its own digits: %s',
  async started => {
    fs.writeFileSync(
      task(),
      `{"agents": [{"id": "x"}, {"id": "a", "status": "running", "started_at": ${started}, "cleanup": {"nanos": 1.0}}]}`,
    )
    const ending = { status: 'completed', reason: 'it reported so' }
    const entry = await recordIntent(ref('a'), ending)
    await recordProblems(ref('a'), ['it lives'])
    await recordDone(ref('a'), entry, ending)
    const starts = (file: string) =>
      [...read(file).matchAll(/"started_at": ([^,}\n]*)/g)].map(([, text]) => text)
    expect(starts(task())).toEqual([started, started])
    expect(starts(global())).toEqual([started, started])
    for (const file of [task(), global()]) expect(read(file)).toContain('"nanos": 1.0')
    expect(isDone(readAgent(ref('a')))).toBe(true)
    // Cleaned up once more.
    await updateAgent(ref('a'), onDisk => reopenCleanup(onDisk))
    await recordDone(ref('a'), entry, ending)
    expect(starts(task())).toEqual([started, started])
    for (const file of [task(), global()]) expect(read(file)).toContain('"nanos": 1.0')
  },
)

test('a cleanup is done, too, for an entry that has lost its start since the cleanup before', async () => {
  await addAgent(ref('a'), { status: 'running', started_at: '2026-11-30T11:00:00Z' })
  const ending = { status: 'completed', reason: 'it reported so' }
  await recordDone(ref('a'), await recordIntent(ref('a'), ending), ending)
  await updateAgent(ref('a'), entry => {
    delete entry.started_at
  })
  await recordDone(ref('a'), readAgent(ref('a')), ending)
  expect(isDone(readAgent(ref('a')))).toBe(true)
})

test.each(['__proto__', 'constructor'])('an agent may be called %s', async agentId => {
  await addAgent(ref(agentId), { status: 'running' })
  await updateAgent(ref(agentId), entry => {
    entry.status = 'completed'
  })
  expect(JSON.parse(read(global())).active_agents).toBe(0)
  expect(Object.entries(readGlobalRegistry(workspace).agents)).toEqual([
    [agentId, { task_id: taskId, status: 'completed' }],
  ])
  expect(Object.hasOwn(Object.prototype, 'status')).toBe(false)
})

test('whatever others wrote around it, a change is exact', async () => {
  await fc.assert(
    fc.asyncProperty(spelled, spelled, spelled, fc.jsonValue(), async (before, within, behind, value) => {
      const text = (progress: string) =>
        `{"before": ${before.text}, "total_spawned": 1.0, "active_count": 1, "completed_count":0e0,` +
        ` "agents": [${within.text === '{}' ? '' : `[${within.text}],`}{"id": "a", "status": "running",` +
        ` "last_update": "...", "progress" : ${progress}, "within": ${within.text}}], "behind": ${behind.text}}\n`
      fs.writeFileSync(task(), text(behind.text))
      await updateAgent(ref('a'), entry => {
        entry.progress = JSON.stringify(value) as never
      })
      expect(withoutTimes(read(task()))).toBe(text(JSON.stringify(JSON.stringify(value))))
      expect(readAgent(ref('a')).within).toEqual(within.value)
    }),
    { numRuns: 50 },
  )
})

/** Writes a registry to argv[1] with the status argv[2] of its agent; argv[3] is the text of json.dump's options. */
const DUMP = String.raw`
import json, sys
file, status, options = sys.argv[1:]
options = eval("dict(" + options + ")")
live = int(status == "running")
half = "" if options.get("ensure_ascii") is False else "\ud83d"
agents = [
    {"id": "a", "status": status, "last_update": "...", "cost": 1.0, "seed": 1764398123456789123, "name": "\U0001f600 \u00e9" + half},
    {"id": "b", "status": "completed"},
]
words = [float("nan"), float("inf"), -float("inf"), 10**25, 1e22, 1e-7]
registry = {"total_spawned": 2, "active_count": live, "completed_count": 2 - live, "agents": agents, "words": words, "empty": {}, "none": []}
json.dump(registry, open(file, "w", encoding="utf-8"), **options)
`
const REREAD =
  'import json, sys\nprint(json.load(open(sys.argv[1], encoding="utf-8"))["agents"][1]["more"]["n"])'
const python = (script: string, ...args: string[]): string =>
  execFileSync('python3', ['-c', script, ...args], { encoding: 'utf8' })

test.each([
  '',
  'indent=2',
  'indent=4, sort_keys=True',
  'indent="\\t"',
  'separators=(",", ":")',
  'ensure_ascii=False, indent=1, separators=(" , ", " : ")',
])('a registry that Python writes with json.dump(%s) stays as Python wrote it', async options => {
  needs('python3', spawnSync('python3', ['--version']).status === 0)
  python(DUMP, task(), 'completed', options)
  const expected = read(task())
  python(DUMP, task(), 'running', options)
  await updateAgent(ref('a'), entry => {
    entry.status = 'completed'
  })
  expect(withoutTimes(read(task()))).toBe(expected)
  await updateAgent(ref('b'), entry => {
    entry.more = { n: [1, 'two'] }
  })
  expect(python(REREAD, task())).toBe("[1, 'two']\n")
})
