import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentRef, cleanUp, findPending, layout, resume } from '../index.ts'
import { NO_TRACES, Rig, readText, traces } from './support/rig.ts'

const CLEANER = path.join(import.meta.dirname, 'support', 'cleaner.ts')
const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Runs a cleaner in a process of its own; `fatal` is the event at which it is killed with -9. Resolves with its signal. */
async function cleaner(ref: AgentRef, fatal = 'never', count = 1): Promise<string | null> {
  const file = path.join(rig.folder, `${ref.agentId}.report`)
  const args = [CLEANER, ref.workspace, ref.taskId, ref.agentId, file, fatal, String(count)]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  const [, signal] = await once(child, 'exit')
  return signal
}

describe('a cleaner that is killed', () => {
  test.each([
    ['signal', 1],
    ['remove', 1],
    ['archive', 1],
    ['archive', 3],
    ['done', 1],
  ])('at %s (%i) leaves nothing that the next one does not finish', async (event, count) => {
    const ref = await rig.deploy('cut', { claude: idle })
    expect(await cleaner(ref, event, count)).toBe('SIGKILL')
    expect(rig.entry(ref)).toMatchObject({ status: 'completed', cleanup: { state: 'pending' } })
    expect(findPending(rig.workspace)).toEqual({ agents: [ref], unreadable: [] })
    expect(await resume(ref, {})).toMatchObject({ outcome: 'clean', problems: [] })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(findPending(rig.workspace).agents).toEqual([])
    expect(fs.readdirSync(layout.archiveFolder(ref))).toHaveLength(4)
  })
})

test('many cleaners at once, in processes of their own: one works, no file is archived twice, no error is shown', async () => {
  const ref = await rig.deploy('wanted', { claude: idle })
  const signals = await Promise.all([
    cleaner(ref),
    cleaner(ref),
    cleaner(ref),
    cleanUp(ref, { status: 'terminated', reason: 'x' }),
  ])
  expect(signals.slice(0, 3)).toEqual([null, null, null])
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(fs.readdirSync(layout.archiveFolder(ref))).toHaveLength(4)
  expect(readText(path.join(rig.folder, 'wanted.report'))).toMatch(/"outcome":"(already-)?clean"/)
})

test('a task folder holds nothing of ours afterwards but the registry and its lock', async () => {
  const ref = await rig.deploy('tidy', { claude: idle })
  await cleanUp(ref, { status: 'completed', reason: 'x' })
  expect(fs.readdirSync(layout.taskFolder(ref.workspace, ref.taskId)).sort()).toEqual(
    ['AGENT_REGISTRY.json', 'AGENT_REGISTRY.json.lock', 'archive', 'findings', 'logs', 'progress'].sort(),
  )
})
