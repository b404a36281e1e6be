import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RegistryWatch } from '../../daemon/registry-watch.ts'
import { LivenessChecks } from '../../liveness/liveness-checks.ts'
import { Silence } from '../../liveness/silence.ts'
import { readHealth } from '../../metrics/health.ts'
import { addTask, layout } from '../../orchestrator.ts'
import { childrenOf } from '../../platform/processes/children.ts'
import { isGone } from '../../platform/processes/signals.ts'
import { Daemon } from '../support/daemon.ts'
import { kill, Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'

// What the daemon remembers from one check to the next, and for how long.

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

test('a result about an agent that went off the list in the meantime is ignored', async () => {
  const daemon = await Daemon.start(rig)
  const gone = await rig.deploy('gone', { claude: idle, socket: `${rig.folder}/hung` })
  const server = rig.entry(gone).tmux?.server_pid ?? 0
  process.kill(server, 'SIGSTOP')
  const isAsking = () => daemon.clients('/hung').length > 0
  await until('it asks in vain', isAsking)
  fs.rmSync(layout.taskFolder(rig.workspace, gone.taskId), { recursive: true })
  await addTask(rig.workspace, { task_id: gone.taskId })
  await seenToEnd('later')
  kill(server)
  await until('it has its answer', () => !isAsking())
  await seenToEnd('last')
  await until('all is well', () => readHealth(rig.workspace)?.state === 'ok')
  expect(daemon.events('ended').map(({ agent }) => agent)).toEqual(['later', 'last'])
  await daemon.stop()
})

/** The daemon has checked everything since. */
async function seenToEnd(id: string): Promise<void> {
  const ref = await rig.deploy(id, { claude: idle })
  kill(rig.entry(ref).tmux?.pane_pid ?? 0)
  await until(`${id} is clean`, () => rig.entry(ref).cleanup?.state === 'done')
}

test('a registry that is being written in place keeps its agents; one that stays truncated is reported', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  const file = layout.taskRegistry(rig.workspace, ref.taskId)
  const whole = readText(file)
  const logged: string[] = []
  const tell = (_: string, problem: string | undefined) => {
    if (problem !== undefined) logged.push(problem)
  }
  using watch = new RegistryWatch(rig.workspace, () => {}, tell)
  const ids = () => watch.list().map(({ ref: { agentId } }) => agentId)
  watch.poll()
  expect(ids()).toEqual(['a'])
  fs.writeFileSync(file, whole.slice(0, 40))
  for (let n = 0; n < 3; n++) watch.poll()
  expect(ids()).toEqual(['a'])
  expect(watch.isUnsure).toBe(true)
  fs.writeFileSync(file, whole)
  expect(ids()).toEqual(['a'])
  expect(watch.isUnsure).toBe(false)
  expect(logged).toEqual([])
  fs.writeFileSync(file, whole.slice(0, 40))
  watch.poll()
  await until('it is logged', () => {
    watch.list()
    return logged.length > 0
  })
  expect(ids()).toEqual([])
})

test('few entries with invalid ids are remembered, with short ids, and none once they are gone', async () => {
  const ref = rig.ref('a')
  const file = layout.taskRegistry(rig.workspace, ref.taskId)
  const problems = new Map<string, string>()
  using watch = new RegistryWatch(
    rig.workspace,
    () => {},
    (about, problem) => {
      if (problem === undefined) problems.delete(about)
      else problems.set(about, problem)
    },
  )
  for (let n = 0; n < 3; n++) {
    const agents = Array.from({ length: 200 }, (_, m) => ({ id: `${n}/${m}${'x'.repeat(1_000)}` }))
    fs.writeFileSync(file, JSON.stringify({ agents }))
    watch.poll()
  }
  expect(problems.size).toBeGreaterThan(0)
  expect([...problems].flat().join('').length).toBeLessThan(20_000)
  fs.writeFileSync(file, '{"agents":[]}')
  watch.poll()
  expect([...problems]).toEqual([])
})

test('a write of the registry does not hide that claude has gone', async () => {
  const ref = await rig.deploy('a', { claude: idle, after: 'sleep 1000' })
  const entry = rig.entry(ref)
  const checks = new LivenessChecks()
  checks.watch(entry)
  const claude = childrenOf(entry.tmux?.pane_pid ?? 0) ?? []
  for (const pid of claude) kill(pid)
  // Its parent has to collect it first.
  await until('it is gone', () => claude.every(isGone))
  checks.entryChanged({ ...entry, progress: 1 })
  expect(checks.mayHaveEnded(entry, new Set())).toBe(true)
})

test('a silence is reported until its mark is written, and so is its end', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  const log = layout.streamLog(ref)
  const entry = rig.entry(ref)
  const silence = new Silence(0)
  silence.check(entry, log)
  expect(silence.check(entry, log)).toBe('begins')
  expect(silence.check(entry, log)).toBe('begins')
  silence.marked(true)
  expect(silence.check(entry, log)).toBe('lasts')

  const marked = { ...entry, silent_since: '2026-01-01T00:00:00Z' }
  const patient = new Silence(60_000)
  expect(patient.check(marked, log)).toBe('ends')
  expect(patient.check(marked, log)).toBe('ends')
  patient.marked(false)
  expect(patient.check(entry, log)).toBeUndefined()
})
