import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { cleanUp } from '../../index.ts'
import { addAgent, addTask, layout, readTaskRegistry } from '../../orchestrator.ts'
import { leakrig } from '../support/cli.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'

const idle = 'echo ready; sleep 1000 & wait'
const completed = { status: 'completed', reason: 'it said so', graceMs: 300 }

const inItsPlace: [string, (file: string) => void][] = [
  ['a symbolic link', file => fs.symlinkSync(path.join(path.dirname(file), '../../outside'), file)],
  ['a symbolic link', file => fs.symlinkSync(path.basename(file), file)],
  ['a FIFO', file => void spawnSync('mkfifo', [file])],
  ['a folder', file => fs.mkdirSync(file)],
]

test.each(inItsPlace)('%s in place of a lock file is refused in one sentence', async (kind, put) => {
  await using rig = await Rig.start()
  const ref = await rig.deploy('a', { claude: idle })
  const lock = `${layout.taskRegistry(ref.workspace, ref.taskId)}.lock`
  fs.rmSync(lock)
  put(lock)
  const found =
    kind === 'a folder' ? 'EISDIR: illegal operation on a directory, open .*' : `expected .*${kind}.*`
  await expect(cleanUp(ref, completed)).rejects.toMatchObject({
    code: 'cannot-lock',
    message: expect.stringMatching(
      new RegExp(
        `^The lock file ${lock} could not be opened: ${found}\\. Nothing .*; remove what is in its place, then try again\\.$`,
      ),
    ),
  })
  expect(fs.existsSync(path.join(rig.folder, 'outside'))).toBe(false)
})

test('what one agent puts in place of a lock file keeps no sweep from the agents of another task', async () => {
  await using rig = await Rig.start()
  for (const task_id of ['TASK-2', 'TASK-3']) {
    await addTask(rig.workspace, { task_id })
    const ref = { workspace: rig.workspace, taskId: task_id, agentId: 'a' }
    await addAgent(ref, { status: 'completed', started_at: new Date().toISOString() })
  }
  const lock = `${layout.taskRegistry(rig.workspace, 'TASK-2')}.lock`
  fs.rmSync(lock)
  fs.symlinkSync(rig.folder, lock)
  const { code, out, err } = leakrig(['sweep', rig.workspace, '--apply', '--min-age', '0s'])
  expect({ code, err }).toEqual({ code: 3, err: '' })
  expect(out).toContain(`The lock file ${lock} could not be opened`)
  const [swept] = readTaskRegistry(rig.workspace, 'TASK-3').agents
  expect(swept?.cleanup?.state).toBe('done')
})

test.each([
  ['link', fs.symlinkSync],
  ['hard link', fs.linkSync],
])('a %s in place of a draft changes nothing at its target and blocks nothing', async (_, put) => {
  await using rig = await Rig.start()
  const ref = await rig.deploy('a', { claude: idle })
  const outside = path.join(rig.folder, 'outside')
  fs.writeFileSync(outside, 'not to be written')
  put(outside, `${layout.taskRegistry(ref.workspace, ref.taskId)}.next`)
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(fs.readFileSync(outside, 'utf8')).toBe('not to be written')
})
