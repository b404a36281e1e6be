import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { cleanUp } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'

const idle = 'echo ready; sleep 1000 & wait'
const completed = { status: 'completed', reason: 'it said so', graceMs: 300 }

test('a lock that is a link makes nothing where that leads', async () => {
  await using rig = await Rig.start()
  const ref = await rig.deploy('a', { claude: idle })
  const lock = `${layout.taskRegistry(ref.workspace, ref.taskId)}.lock`
  fs.rmSync(lock)
  fs.symlinkSync(path.join(rig.folder, 'outside'), lock)
  await expect(cleanUp(ref, completed)).rejects.toThrow(/could not be written: expected a regular file/)
  expect(fs.existsSync(path.join(rig.folder, 'outside'))).toBe(false)
})

test.each([
  ['link', fs.symlinkSync],
  ['hard link', fs.linkSync],
])('a draft that is a %s leads nowhere, and holds nothing up', async (_, put) => {
  await using rig = await Rig.start()
  const ref = await rig.deploy('a', { claude: idle })
  const outside = path.join(rig.folder, 'outside')
  fs.writeFileSync(outside, 'not to be written')
  put(outside, `${layout.taskRegistry(ref.workspace, ref.taskId)}.next`)
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(fs.readFileSync(outside, 'utf8')).toBe('not to be written')
})
