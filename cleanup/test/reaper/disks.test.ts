import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { cleanUp } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { runCleaner } from '../support/cleaner-process.ts'
import { canMount, MountNamespace } from '../support/mount-namespace.ts'
import { NO_TRACES, Rig, readText, traces } from '../support/rig.ts'

const completed = { status: 'completed', reason: 'it said so' }
const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Mounts a small disk over a folder of the workspace, with the folder's files on it and nothing free. */
const full = (
  folder: string,
) => `cp -a ${folder} ${rig.folder}/copy; mount -t tmpfs -o size=64k small ${folder}
  cp -a ${rig.folder}/copy/. ${folder}; dd if=/dev/zero of=${folder}/ballast bs=1k 2>/dev/null || :`

test('a log that may be copied and not removed is archived once, when it may be', async () => {
  needs('permission to mount', canMount)
  const ref = await rig.deploy('a', { claude: idle })
  const log = layout.streamLog(ref)
  const folder = path.dirname(log)
  using mounts = await MountNamespace.make(
    rig,
    `mount --bind ${folder} ${folder}; mount -o remount,ro,bind ${folder}`,
  )
  for (let n = 0; n < 2; n++) {
    const { report } = await runCleaner(rig, ref, 0, mounts.nsenter)
    expect(report?.problems.join(' ')).toMatch(/a_stream.jsonl could not be removed or archived: .*EROFS/)
    expect(readText(log)).toBe('ready\n')
    expect(fs.readdirSync(layout.archiveFolder(ref)).filter(name => name.includes('stream'))).toEqual([])
  }
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

describe('a disk that is full', () => {
  needs('permission to mount', canMount)

  test('under the archive: the logs stay with the reason, and are archived once there is room', async () => {
    const ref = await rig.deploy('a', { claude: `echo ready; seq 2000; sleep 1000 & wait` })
    const archive = layout.archiveFolder(ref)
    using mounts = await MountNamespace.make(rig, full(archive))
    const { report } = await runCleaner(rig, ref, 0, mounts.nsenter)
    expect(report).toMatchObject({ outcome: 'unfinished' })
    expect(report?.problems.join(' ')).toMatch(/a_stream.jsonl could not be removed or archived: .*ENOSPC/)
    expect(rig.processesOf(ref)).toEqual([])
    expect(rig.entry(ref).cleanup).toMatchObject({ state: 'pending', problems: report?.problems })
    expect(readText(layout.streamLog(ref))).toMatch(/^ready\n1\n(\d+\n)*2000\n$/)
    expect(fs.readdirSync(mounts.outsidePath(archive)).filter(name => name.endsWith('.part'))).toEqual([])

    fs.rmSync(mounts.outsidePath(path.join(archive, 'ballast')))
    expect((await runCleaner(rig, ref, 0, mounts.nsenter)).report).toMatchObject({ outcome: 'clean' })
    expect(readText(mounts.outsidePath(layout.archived(ref, layout.streamLog(ref))))).toMatch(/2000\n$/)
    expect(traces(rig, ref)).toEqual({ ...NO_TRACES, archived: 0 })
  })

  test('under the task’s registry: nothing is ended', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const folder = layout.taskFolder(ref.workspace, ref.taskId)
    using mounts = await MountNamespace.make(rig, full(folder))
    const before = readText(mounts.outsidePath(layout.taskRegistry(ref.workspace, ref.taskId)))
    const { report, stderr } = await runCleaner(rig, ref, 0, mounts.nsenter)
    expect(report).toBeUndefined()
    expect(stderr).toMatch(/CleanupError: The registry .*AGENT_REGISTRY.json could not be written: ENOSPC/)
    expect(rig.processesOf(ref)).toHaveLength(4)
    expect(readText(mounts.outsidePath(layout.taskRegistry(ref.workspace, ref.taskId)))).toBe(before)
    expect(fs.readdirSync(mounts.outsidePath(folder)).filter(name => name.endsWith('.next'))).toEqual([])

    fs.rmSync(mounts.outsidePath(path.join(folder, 'ballast')))
    expect((await runCleaner(rig, ref, 0, mounts.nsenter)).report).toMatchObject({ outcome: 'clean' })
  })

  test('under the global registry: the work is done, and recorded once there is room', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const folder = path.dirname(layout.globalRegistry(ref.workspace))
    using mounts = await MountNamespace.make(rig, full(folder))
    const { report } = await runCleaner(rig, ref, 0, mounts.nsenter)
    expect(report).toMatchObject({ outcome: 'unfinished', problems: [expect.stringContaining('ENOSPC')] })
    expect(traces(rig, ref)).toEqual({ ...NO_TRACES, cleanup: 'pending' })

    fs.rmSync(mounts.outsidePath(path.join(folder, 'ballast')))
    expect((await runCleaner(rig, ref, 0, mounts.nsenter)).report).toMatchObject({ outcome: 'clean' })
    const global = JSON.parse(readText(mounts.outsidePath(layout.globalRegistry(ref.workspace))))
    expect(global).toMatchObject({ active_agents: 0, agents: { a: { cleanup: { state: 'done' } } } })
  })
})

test('a read-only workspace: nothing is ended, and the reason is reported', async () => {
  needs('permission to mount', canMount)
  const ref = await rig.deploy('a', { claude: idle })
  const { workspace } = ref
  using mounts = await MountNamespace.make(
    rig,
    `mount --bind ${workspace} ${workspace}; mount -o remount,ro,bind ${workspace}`,
  )
  const { report, stderr } = await runCleaner(rig, ref, 0, mounts.nsenter)
  expect(report).toBeUndefined()
  expect(stderr).toMatch(/CleanupError: The registry .* could not be written: EROFS/)
  expect(rig.processesOf(ref)).toHaveLength(4)
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
})
