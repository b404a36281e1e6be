import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { expect, test } from 'vitest'
import { layout } from '../../orchestrator.ts'
import { moveInto } from '../../platform/files/move-file.ts'
import { replaceWithin } from '../../platform/files/replace-file.ts'
import { makeFolder, openWithin, removeWithin } from '../../platform/files/within.ts'
import { readRegistries } from '../../registry/read-all.ts'
import { findUnlisted, removeUnlisted } from '../../sweep/unlisted.ts'
import { isRunning, Rig } from '../support/rig.ts'

/** How often each thing is done while the folder is exchanged: by a path that is checked right before, one in a thousand goes wrong. */
const TIMES = 5_000

/** A folder in a workspace, and one outside in which nothing may change; another process exchanges the first for a link to it. */
async function whileExchanged(attack: (root: string, folder: string) => void): Promise<void> {
  const { path: root, cleanup } = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
  const [workspace, outside] = [path.join(root, 'workspace'), path.join(root, 'outside')]
  const folder = path.join(workspace, 'archive')
  fs.mkdirSync(folder, { recursive: true })
  fs.mkdirSync(outside)
  fs.writeFileSync(path.join(outside, 'a.json'), 'not to be touched')
  const program = path.join(import.meta.dirname, '../support', 'swap-folder.ts')
  const exchanging = spawn(process.execPath, [program, folder, outside], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(exchanging.stdout, 'data')
    let refused = 0
    for (let n = 0; n < TIMES; n++)
      try {
        attack(workspace, folder)
      } catch {
        // The link was in the way, or for a moment nothing at all.
        refused++
      }
    // Both must have come up, or nothing was tried.
    expect(refused).toBeGreaterThan(0)
    expect(refused).toBeLessThan(TIMES)
    expect(fs.readdirSync(outside)).toEqual(['a.json'])
    expect(fs.readFileSync(path.join(outside, 'a.json'), 'utf8')).toBe('not to be touched')
    expect(isRunning(exchanging.pid ?? 0)).toBe(true)
  } finally {
    exchanging.kill('SIGKILL')
    await once(exchanging, 'exit')
    await cleanup()
  }
}

test('a file moved into a folder arrives in that folder only', () =>
  whileExchanged((root, folder) => {
    const file = path.join(root, 'b.json')
    fs.writeFileSync(file, 'of an agent')
    using from = openWithin(root, root)
    using into = openWithin(root, folder)
    moveInto(into, from, 'b.json')
    for (const name of into.names()) fs.rmSync(into.at(name))
  }))

test('a file moved out of a folder comes from that folder only', () =>
  whileExchanged((root, folder) => {
    using from = openWithin(root, folder)
    using into = openWithin(root, root)
    if (!from.names().includes('a.json')) fs.writeFileSync(from.at('a.json'), 'of an agent')
    fs.rmSync(into.at(moveInto(into, from, 'a.json')))
  }))

test('only the file in the workspace is replaced or removed', () =>
  whileExchanged((root, folder) => {
    const file = path.join(folder, 'a.json')
    replaceWithin(root, file, 'new')
    removeWithin(root, file)
  }))

test('a folder is created in the workspace only', () =>
  whileExchanged((root, folder) => {
    makeFolder(root, path.join(folder, 'inner'))
    using held = openWithin(root, folder)
    fs.rmdirSync(held.at('inner'))
  }))

test('an unlisted prompt is found and removed in the workspace only', async () => {
  await using rig = await Rig.start()
  const task = path.dirname(layout.promptFile(rig.ref('gone')))
  const name = 'agent_prompt_gone.txt'
  const outside = path.join(rig.folder, 'outside')
  fs.mkdirSync(outside)
  for (const folder of [task, outside]) fs.writeFileSync(path.join(folder, name), 'a prompt')
  const registries = readRegistries(rig.workspace)
  const look = () => findUnlisted(rig.workspace, registries, undefined, 0)
  const orphans = await look()
  expect(orphans.prompts).toMatchObject([{ file: path.join(task, name) }])
  // What an agent does while the processes of others are being ended.
  fs.renameSync(task, `${task}.aside`)
  fs.symlinkSync(outside, task)
  expect(await removeUnlisted(rig.workspace, orphans, { graceMs: 0, minAgeMs: 0, named: [] })).toMatchObject({
    outcome: 'unfinished',
    actions: [],
  })
  expect(fs.readdirSync(outside)).toEqual([name])
  expect(await look()).toMatchObject({
    prompts: [],
    problems: [expect.stringMatching(/found a symbolic link/)],
  })
})
