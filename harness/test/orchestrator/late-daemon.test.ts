import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Orchestrator } from '../support/orchestrator.ts'
import { Workspace } from '../support/workspace.ts'

let place: Workspace
beforeEach(() => {
  place = new Workspace({ 'TASK-1': { a: 'nobody' } })
})
afterEach(() => place[Symbol.asyncDispose]())

/** An orchestrator whose daemons first run this code, with `n` for the number of daemons before. */
async function withDaemonsThat(code: string): Promise<Orchestrator> {
  const hook = join(place.folder, 'hook.mjs')
  writeFileSync(
    hook,
    `import fs from 'node:fs'
    if (/daemon/.test(process.argv[1] ?? '') && !/orchestrator/.test(process.argv[1])) {
      const file = ${JSON.stringify(join(place.folder, 'started'))}
      const n = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\\n').length - 1 : 0
      fs.appendFileSync(file, process.pid + '\\n')
      ${code}
    }`,
  )
  return place.instance('hybrid', undefined, { NODE_OPTIONS: `--import ${hook}` })
}

const warning = async (one: Orchestrator) =>
  (await one.call('get_real_task_status', { task_id: 'TASK-1' })).said.warning
/** The agent never had a session, so a daemon that watches may have cleaned up after it first. */
const cleans = async (one: Orchestrator) => {
  const { said } = await one.call('kill_real_agent', { task_id: 'TASK-1', agent_id: 'a', reason: 'enough' })
  expect(said.cleanup).toMatchObject({ outcome: expect.stringMatching(/^(already-)?clean$/) })
}

async function until(condition: string, poll: () => unknown): Promise<void> {
  for (const deadline = performance.now() + 60_000; !(await poll()); await delay(20))
    if (performance.now() > deadline) throw new Error(`not within 60 s: ${condition}`)
}

/** The pid in the daemon's health report, which it writes as it begins to watch. */
function watching(): number | undefined {
  const file = join(place.path, 'registry/health.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).pid : undefined
}

test('one that hangs before it watches: tools answer, and cleanups are done', async () => {
  const one = await withDaemonsThat('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)')
  await cleans(one)
  expect(watching()).toBeUndefined()
})

test.each([
  [
    'exits at once',
    'if (n === 0) process.exit(7)',
    /ended \(7\) before it watched; what it wrote is in .*\.$/,
  ],
  ['is killed', 'if (n === 0) process.kill(process.pid, "SIGKILL")', /ended \(SIGKILL\) before it watched/],
  [
    'prints rubbish',
    'if (n === 0) { console.log("{\\u0000]"); process.exit(0) }',
    /ended \(0\) before it watched/,
  ],
])('one that %s is reported and tried again', async (_, code, sentence) => {
  const one = await withDaemonsThat(code)
  let seen: unknown
  await until('the failure is reported', async () => {
    seen ??= await warning(one)
    return seen !== undefined
  })
  expect(seen).toMatch(sentence)
  await until('the next one watches', watching)
  expect(await warning(one)).toBeUndefined()
  await cleans(one)
})

test('one that is stopped, or ends later, is reported', async () => {
  // The next one hangs before it watches: otherwise the report may be gone before it was asked for.
  const one = await withDaemonsThat('if (n > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)')
  await until('it watches', watching)
  const pid = watching() ?? 0
  process.kill(pid, 'SIGSTOP')
  await until('it is reported', async () => /is stopped/.test(String(await warning(one))))
  process.kill(pid, 'SIGKILL')
  await until('it is reported', async () => /has ended/.test(String(await warning(one))))
  await cleans(one)
})
