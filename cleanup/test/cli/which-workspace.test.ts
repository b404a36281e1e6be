import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { explain } from '../../cli/run-explain.ts'
import { runRetention } from '../../cli/run-retention.ts'
import { install } from '../../cli/run-service.ts'
import { runStatus } from '../../cli/run-status.ts'
import { runSweep } from '../../cli/run-sweep.ts'
import { workspacesOf } from '../../cli/workspace.ts'

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
    /^\/.* is not an orchestrator’s workspace: expected the folder "registry" or a task \("TASK-\.\.\."\) in it; name the \.agent-workspace of an orchestrator\.$/,
  ),
}

test('what an orchestrator has made, or has just made, is one', () => {
  for (const workspace of [
    make('.agent-workspace'),
    make('by-its-registries', 'registry/'),
    make('by-a-task', 'TASK-1/'),
    make('by-a-registry', 'some-task/AGENT_REGISTRY.json'),
  ])
    expect(workspacesOf([workspace])).toEqual([workspace])
})

test('what a daemon or its service begins with may be empty', () => {
  const empty = make('empty')
  expect(workspacesOf([empty], true)).toEqual([empty])
  expect(() => workspacesOf([empty])).toThrow(expect.objectContaining(NONE))
  expect(() => workspacesOf([make('full', 'a-file')], true)).toThrow(expect.objectContaining(NONE))
})

const graces = { minAge: 60, interval: 2 }
describe.each([
  ['sweep', (one: string) => runSweep([one], graces)],
  ['status', (one: string) => runStatus([one], graces)],
  ['explain', (one: string) => explain('a', one, {})],
  ['retention', (one: string) => runRetention([one], {})],
  ['service install', (one: string) => install([one], { print: true })],
])('%s', (_, run) => {
  test('does not say of any other folder that nothing is to do', async () => {
    await expect(run(make('project', 'README.md', 'src/main.ts'))).rejects.toMatchObject(NONE)
  })
})
