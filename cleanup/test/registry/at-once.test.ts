import fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cleanUp, recordIntent } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { runCleaner } from '../support/cleaner-process.ts'
import {
  cleanUpConcurrently,
  expectAllCleanedConcurrently,
  expectCleanRegistries,
} from '../support/concurrent-cleaners.ts'
import { Daemon } from '../support/daemon.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'

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
    cleanUp(ref, { status: 'terminated', reason: 'x' }).then(report => ({ report, stderr: '' })),
  ])
  expect(ends.map(({ stderr }) => stderr).join('')).toBe('')
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
  test('ten agents through ten processes', async () => {
    await expectAllCleanedConcurrently(rig, 10)
  })

  test('the daemon and the cleaners', async () => {
    const daemon = await Daemon.start(rig)
    const refs = await Promise.all(
      Array.from({ length: 6 }, (_, n) => rig.deploy(`of-two-${n}`, { claude: idle })),
    )
    // The first three are the daemon's too: an intent without a cleaner has no head start.
    const reports = await cleanUpConcurrently(rig, refs, () =>
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
    expectCleanRegistries(rig, refs)
    expect([...daemon.events('problem'), ...daemon.events('cleanup-failed')]).toEqual([])
    await daemon.stop()
  })
})

test('a task folder holds nothing of ours afterwards but the registry and its lock', async () => {
  const ref = await rig.deploy('tidy', { claude: idle })
  await cleanUp(ref, { status: 'completed', reason: 'x' })
  expect(fs.readdirSync(layout.taskFolder(ref.workspace, ref.taskId)).sort()).toEqual(
    ['AGENT_REGISTRY.json', 'AGENT_REGISTRY.json.lock', 'archive', 'findings', 'logs', 'progress'].sort(),
  )
})
