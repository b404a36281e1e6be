import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { cleanUp } from '../../index.ts'
import { type AgentRef, agentMarker, layout } from '../../orchestrator.ts'
import { writeIntentIfPossible } from '../../registry/intent.ts'
import { readAgent } from '../../registry/registry.ts'
import { cleanerCommand, runCleaner } from '../support/cleaner-process.ts'
import { leakrig } from '../support/cli.ts'
import { fill } from '../support/fill.ts'
import { type Mount, workspaceOnSmallDisk, writeLongPrompt } from '../support/mount.ts'
import { canMount, MountNamespace } from '../support/mount-namespace.ts'
import { isRunning, NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

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

describe('where nothing can be written, an agent whose end was asked for is ended all the same', () => {
  needs('permission to mount', canMount)

  let mounted: Mount
  let ref: AgentRef
  const filler = () => path.join(rig.workspace, 'filler')
  beforeEach(async () => {
    const made = await workspaceOnSmallDisk(rig)
    if (typeof made === 'string') throw new Error(made)
    mounted = made
    ref = await rig.deploy('a', { claude: idle })
    await rig.waitUntilRunning(ref)
    writeLongPrompt(ref)
  })
  afterEach(() => mounted[Symbol.dispose]())

  const registry = () => readText(layout.taskRegistry(ref.workspace, ref.taskId))
  const isArchived = () => readText(layout.archived(ref, layout.streamLog(ref))) === 'ready\n'

  test('a full disk: it is recorded in the room that its prompt has left', async () => {
    fill(filler())
    expect(await cleanUp(ref, completed)).toMatchObject({
      outcome: 'clean',
      status: 'completed',
      problems: [],
    })
    expect(rig.entry(ref)).toMatchObject({ status: 'completed', cleanup: { state: 'done' } })
    expect([rig.processesOf(ref), isArchived()]).toEqual([[], true])
  })

  test('a disk that stays full: the reason is reported, and the next cleanup records it', async () => {
    const bystander = await rig.deploy('b', { claude: idle })
    await rig.waitUntilRunning(bystander)
    fs.rmSync(layout.promptFile(ref))
    fill(filler())
    const before = registry()
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'unfinished', status: 'running' })
    expect(report.problems).toEqual([
      expect.stringMatching(/ended, and that could not be recorded \(completed\). The registry .*ENOSPC/),
    ])
    expect([rig.processesOf(ref), isArchived(), registry()]).toEqual([[], true, before])
    expect(rig.processesOf(bystander)).toHaveLength(4)
    expect(fs.readdirSync(path.dirname(layout.taskRegistry(ref.workspace, ref.taskId)))).not.toContainEqual(
      expect.stringMatching(/\.next$/),
    )

    fs.rmSync(filler())
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', status: 'completed' })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('a sweep ends what its crash has left', async () => {
    fill(filler())
    rig.tmux('kill-pane', '-t', '=agent_a:')
    const left = rig.start('sleep', ['1000'], { LEAKRIG_AGENT: agentMarker(ref) })
    await until('its pane has ended', () => !rig.sessions().includes('agent_a'))
    leakrig(['sweep', '--apply', '--min-age', '0s', rig.workspace])
    expect([isRunning(left), rig.processesOf(ref)]).toEqual([false, []])
    expect(rig.entry(ref)).toMatchObject({ status: 'crashed', cleanup: { state: 'done' } })
  })

  test('a read-only workspace, where there is no lock either: two cleaners end it and move nothing', async () => {
    using mounts = await MountNamespace.make(
      rig,
      `mount --bind ${ref.workspace} ${ref.workspace}; mount -o remount,ro,bind ${ref.workspace}`,
    )
    const before = registry()
    const cleaners = await Promise.all([1, 2].map(() => runCleaner(rig, ref, 0, mounts.nsenter)))
    for (const { report } of cleaners) {
      expect(report).toMatchObject({ outcome: 'unfinished', status: 'running', archived: [] })
      expect(report?.problems.join(' ')).toMatch(/could not be recorded .*EROFS/)
    }
    expect([rig.processesOf(ref), registry()]).toEqual([[], before])
    expect(readText(layout.streamLog(ref))).toBe('ready\n')
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    expect(isArchived()).toBe(true)
  })

  test('a limit on the size of files', async () => {
    const before = registry()
    const command = ['sh', '-c', 'ulimit -f 0; exec "$@"', 'sh', ...cleanerCommand(ref, '/dev/null', 0)]
    await once(spawn(command[0] ?? '', command.slice(1), { stdio: 'inherit' }), 'close')
    expect([rig.processesOf(ref), isArchived(), registry()]).toEqual([[], true, before])
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  })

  test('but not while its registry cannot be read, nor once it runs anew', async () => {
    const cleaner = { pid: process.pid, start: 0 }
    const before = readAgent(ref)
    fill(filler())
    const earlier = { ...before, started_at: '2026-01-01T00:00:00Z' }
    await expect(writeIntentIfPossible(ref, earlier, completed, cleaner)).rejects.toThrow(/ENOSPC/)
    const text = registry()
    fs.writeFileSync(layout.taskRegistry(ref.workspace, ref.taskId), text.slice(0, -20))
    await expect(cleanUp(ref, completed)).rejects.toThrow(/could not be read/)
    expect(rig.processesOf(ref)).toHaveLength(4)
  })
})
