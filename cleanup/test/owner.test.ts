import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { cleanUp, layout } from '../index.ts'
import { Rig } from './support/rig.ts'

const idle = 'echo ready; sleep 1000 & wait'
const completed = { status: 'completed', reason: 'it said so', graceMs: 300 }
const SOMEBODY = 12_345

const isRoot = process.geteuid?.() === 0

test('what root makes in a workspace belongs to whom the workspace belongs', async ({ skip }) => {
  skip(!isRoot, 'only root can make what is not its own')
  await using rig = await Rig.start()
  const ref = await rig.deploy('a', { claude: idle })
  const { workspace } = ref
  // As a workspace looks that another user's orchestrator has made: no locks, no archive.
  fs.rmSync(layout.archiveFolder(ref), { recursive: true, force: true })
  for (const name of fs.readdirSync(workspace, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(workspace, name)
    if (name.endsWith('.lock')) fs.rmSync(file)
    else fs.lchownSync(file, SOMEBODY, SOMEBODY)
  }
  fs.chownSync(workspace, SOMEBODY, SOMEBODY)
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  const names = fs.readdirSync(workspace, { recursive: true, encoding: 'utf8' })
  expect(names.filter(name => name.endsWith('.lock'))).toHaveLength(2)
  expect(names).toContain(path.relative(workspace, layout.archiveFolder(ref)))
  const notTheirs = names.filter(name => fs.lstatSync(path.join(workspace, name)).uid !== SOMEBODY)
  expect(notTheirs).toEqual([])
})

test('a lock that is a link makes nothing where that leads', async () => {
  await using rig = await Rig.start()
  const ref = await rig.deploy('a', { claude: idle })
  const lock = `${layout.taskRegistry(ref.workspace, ref.taskId)}.lock`
  fs.rmSync(lock)
  fs.symlinkSync(path.join(rig.folder, 'outside'), lock)
  await expect(cleanUp(ref, completed)).rejects.toThrow(/could not be written/)
  expect(fs.existsSync(path.join(rig.folder, 'outside'))).toBe(false)
})

test('a draft that is a link leads nowhere', async () => {
  await using rig = await Rig.start()
  const ref = await rig.deploy('a', { claude: idle })
  const outside = path.join(rig.folder, 'outside')
  fs.writeFileSync(outside, 'not to be written')
  fs.symlinkSync(outside, `${layout.taskRegistry(ref.workspace, ref.taskId)}.next`)
  await expect(cleanUp(ref, completed)).rejects.toThrow(/could not be written/)
  expect(fs.readFileSync(outside, 'utf8')).toBe('not to be written')
})
