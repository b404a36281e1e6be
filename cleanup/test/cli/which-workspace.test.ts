import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { explain } from '../../cli/explain.ts'
import { runRetention } from '../../cli/retention.ts'
import { install } from '../../cli/service.ts'
import { runStatus } from '../../cli/status.ts'
import { runSweep } from '../../cli/sweep.ts'
import { workspacesOf } from '../../cli/workspace.ts'
import { leakrig } from '../support/cli.ts'

let folder: string
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
  folder = fs.realpathSync(made.path)
  remove = made.cleanup
})
afterEach(() => remove())

/** A folder with these folders and files in it, and its path. */
function make(name: string, ...within: string[]): string {
  const made = path.join(folder, name)
  fs.mkdirSync(made)
  for (const one of within) {
    fs.mkdirSync(path.dirname(path.join(made, one)), { recursive: true })
    if (one.endsWith('/')) fs.mkdirSync(path.join(made, one))
    else fs.writeFileSync(path.join(made, one), '{"agents": []}')
  }
  return made
}

const NONE = {
  code: 'no-workspace',
  message: expect.stringMatching(
    /^\/.* is not an orchestrator’s workspace: expected the folder "registry" or a folder with AGENT_REGISTRY\.json in it; name the \.agent-workspace folder of an orchestrator\.$/,
  ),
}

test('an orchestrator’s workspace is accepted, even a new one', () => {
  for (const workspace of [
    make('.agent-workspace'),
    make('by-its-registries', 'registry/'),
    make('by-a-task', 'TASK-1/'),
    make('by-a-registry', 'some-task/AGENT_REGISTRY.json'),
  ])
    expect(workspacesOf([workspace])).toEqual([workspace])
})

test('a daemon and its service accept an empty folder', () => {
  const empty = make('empty')
  expect(workspacesOf([empty], true)).toEqual([empty])
  expect(() => workspacesOf([empty])).toThrow(expect.objectContaining(NONE))
  expect(() => workspacesOf([make('full', 'a-file')], true)).toThrow(expect.objectContaining(NONE))
})

test.each(['sweep', 'daemon', 'service install', 'service install --print', 'retention', 'status'])(
  '%s: without a name and without a workspace in the current folder',
  words => {
    const name = 'name the workspace of an orchestrator, or change to the folder that contains it.'
    expect(leakrig(words.split(' '), folder)).toEqual({
      code: 2,
      out: '',
      err: `leakrig: There is no .agent-workspace in ${folder}; ${name}`,
    })
  },
)

test.each(['retention', 'daemon', 'service install'])('%s checks its options before the workspace', words => {
  expect(leakrig([...words.split(' '), '--keep-days', 'x'], folder)).toEqual({
    code: 2,
    out: '',
    err: 'leakrig: --keep-days "x" is refused: expected one number of days, as in 7 or 0.5.',
  })
})

describe.each([
  ['sweep', (one: string) => runSweep([one], { minAge: 60_000 })],
  ['status', (one: string) => runStatus([one], {})],
  ['explain', (one: string) => explain('a', one, {})],
  ['retention', (one: string) => runRetention([one], {})],
  ['service install', (one: string) => install([one], { print: true })],
])('%s', (_, run) => {
  test('refuses any other folder instead of finding nothing to do', async () => {
    await expect(run(make('project', 'README.md', 'src/main.ts'))).rejects.toMatchObject(NONE)
  })
})
