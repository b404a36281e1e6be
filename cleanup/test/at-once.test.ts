import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type AgentRef,
  type CleanUpReport,
  cleanUp,
  findPending,
  layout,
  readGlobalRegistry,
  readTaskRegistry,
  recordIntent,
} from '../index.ts'
import { Daemon } from './support/daemon.ts'
import { cleanerCommand, runCleaner } from './support/outside-cleaner.ts'
import { NO_TRACES, Rig, traces } from './support/rig.ts'
import { until } from './support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

test('many cleaners at once, in processes of their own: one works, no file is archived twice, no error is shown', async () => {
  const ref = await rig.deploy('wanted', { claude: idle })
  const ends = await Promise.all([
    runCleaner(rig, ref),
    runCleaner(rig, ref),
    runCleaner(rig, ref),
    cleanUp(ref, { status: 'terminated', reason: 'x' }).then(report => ({ report, said: '' })),
  ])
  expect(ends.map(({ said }) => said).join('')).toBe('')
  expect(ends.map(({ report }) => report?.outcome).sort()).toEqual([
    'already-clean',
    'already-clean',
    'already-clean',
    'clean',
  ])
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(fs.readdirSync(layout.archiveFolder(ref))).toHaveLength(4)
})

describe('at the same instant', () => {
  test('a hundred agents through a hundred processes', async () => {
    const names = Array.from({ length: 100 }, (_, n) => `of-many-${n}`)
    const refs: AgentRef[] = []
    for (const name of names) refs.push(await rig.deploy(name, { claude: idle }))
    const reports = await atOnce(refs)
    expect(reports.map(({ outcome, problems }) => [outcome, ...problems])).toEqual(names.map(() => ['clean']))
    for (const ref of refs) expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(fs.readdirSync(layout.archiveFolder(rig.ref('x')))).toHaveLength(400)
    areRight(refs)
  }, 600_000)

  test('the daemon and the cleaners', async () => {
    const daemon = await Daemon.start(rig)
    const refs = await Promise.all(
      Array.from({ length: 6 }, (_, n) => rig.deploy(`of-two-${n}`, { claude: idle })),
    )
    // The first three are the daemon's too: an intent without a cleaner has no head start.
    const reports = await atOnce(refs, () =>
      Promise.all(
        refs.slice(0, 3).map(ref => recordIntent(ref, { status: 'completed', reason: 'it said so' })),
      ),
    )
    for (const { outcome, problems } of reports) {
      expect(outcome).toMatch(/^(already-)?clean$/)
      expect(problems).toEqual([])
    }
    for (const ref of refs) expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(fs.readdirSync(layout.archiveFolder(rig.ref('x')))).toHaveLength(24)
    areRight(refs)
    expect([...daemon.events('problem'), ...daemon.events('not-cleaned')]).toEqual([])
    await daemon.stop()
  })

  /** Starts a cleaner for each, lets all of them go at once, and returns what they report. */
  async function atOnce(refs: AgentRef[], andThen?: () => Promise<unknown>): Promise<CleanUpReport[]> {
    const gate = path.join(rig.folder, 'gate')
    spawnSync('mkfifo', [gate])
    const file = ({ agentId }: AgentRef) => path.join(rig.folder, `${agentId}.report`)
    const cleaners = refs.map(ref => {
      const [command = '', ...args] = cleanerCommand(ref, file(ref), 0)
      return spawn(command, args, { stdio: 'inherit', env: { ...process.env, GATE: gate } })
    })
    const exits = cleaners.map(cleaner => once(cleaner, 'exit'))
    const isReady = () => refs.every(ref => fs.existsSync(`${file(ref)}.ready`))
    await until('all cleaners are ready', isReady, 300_000)
    const started = performance.now()
    const open = fs.openSync(gate, 'w')
    await andThen?.()
    const codes = (await Promise.all(exits)).map(([code]) => code)
    fs.closeSync(open)
    console.log(`${refs.length} cleaners took ${Math.round(performance.now() - started)} ms`)
    expect(codes).toEqual(refs.map(() => 0))
    return refs.map(ref => JSON.parse(fs.readFileSync(file(ref), 'utf8')))
  }

  function areRight(refs: AgentRef[]): void {
    expect(readTaskRegistry(rig.workspace, rig.ref('x').taskId)).toMatchObject({
      active_count: 0,
      completed_count: refs.length,
    })
    const global = readGlobalRegistry(rig.workspace)
    expect(global.active_agents).toBe(0)
    for (const ref of refs)
      expect(global.agents[ref.agentId]).toMatchObject({ status: 'completed', cleanup: { state: 'done' } })
    expect(findPending(rig.workspace)).toEqual({ agents: [], unreadable: [] })
  }
})

test('a task folder holds nothing of ours afterwards but the registry and its lock', async () => {
  const ref = await rig.deploy('tidy', { claude: idle })
  await cleanUp(ref, { status: 'completed', reason: 'x' })
  expect(fs.readdirSync(layout.taskFolder(ref.workspace, ref.taskId)).sort()).toEqual(
    ['AGENT_REGISTRY.json', 'AGENT_REGISTRY.json.lock', 'archive', 'findings', 'logs', 'progress'].sort(),
  )
})
