import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { needs } from '../../../test/needs.ts'
import { type AgentRef, claimsFor, cleanUp, recordIntent } from '../../index.ts'
import { readDaemon } from '../../metrics/health.ts'
import { layout, readTaskRegistry, thisWorld, updateAgent } from '../../orchestrator.ts'
import { leakrig } from '../support/cli.ts'
import { Daemon } from '../support/daemon.ts'
import { listing } from '../support/listing.ts'
import { PidNamespace } from '../support/pid-namespace.ts'
import { isRunning, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

/*
 * A workspace is shared by worlds that do not see each other: here, and a pid namespace with tmux servers of its own.
 */

const claude = 'echo ready; sleep 1000 & wait'
const completed = { status: 'completed', reason: 'it said so' }
const OLD = '2026-01-01T00:00:00Z'

needs('root rights', process.geteuid?.() === 0)
needsNamespaces()

let rig: Rig
let there: PidNamespace
beforeEach(async () => {
  rig = await Rig.start()
  there = await PidNamespace.start(rig)
})
afterEach(() => rig[Symbol.asyncDispose]())

const setStatus = (ref: AgentRef, status: string) =>
  updateAgent(ref, entry => Object.assign(entry, { status }))
const sweep = ['sweep', '--apply', '--orphans', '--grace', '1s', '--min-age', '0s']
const commands = (ref: AgentRef) => [
  [...sweep, rig.workspace],
  ['sweep', rig.workspace],
  ['explain', ref.agentId, rig.workspace],
  ['status', rig.workspace],
]

/** The agent's processes, whose numbers are ours. Its own tee is one of them. */
const programs = (ref: AgentRef) => rig.processesOf(ref).map(line => line.split(' ')[1])

/** Runs something that must leave an agent as it is: the processes, and all files of the workspace. */
async function leaves(ref: AgentRef, work: () => unknown): Promise<void> {
  await rig.waitUntilRunning(ref)
  const before = [programs(ref), listing(rig.workspace)]
  await work()
  expect([programs(ref), listing(rig.workspace)]).toEqual(before)
}

describe.each(['running', 'completed'])('an agent that was deployed there, and is %s', status => {
  test('is refused here, with everything untouched', async () => {
    const ref = await there.deploy('a', { claude })
    await setStatus(ref, status)
    await leaves(ref, async () => {
      for (const command of commands(ref)) {
        const { code, out, err } = leakrig(command)
        expect([command[0], out + err, code]).toEqual([
          command[0],
          expect.stringMatching(/Agent a cannot be seen from here .*run this command there/s),
          3,
        ])
      }
      await expect(cleanUp(ref, completed)).rejects.toMatchObject({ code: 'elsewhere' })
      await expect(claimsFor(ref)).rejects.toMatchObject({ code: 'elsewhere' })
      if (status === 'running')
        await expect(recordIntent(ref, completed)).rejects.toMatchObject({ code: 'elsewhere' })
    })
  })

  test('is reported once by a daemon here, and nothing else', { tags: ['long'] }, async () => {
    const ref = await there.deploy('a', { claude })
    await setStatus(ref, status)
    const files = () => Object.entries(listing(rig.workspace)).filter(([file]) => !/\/registry\b/.test(file))
    const before = files()
    const daemon = await Daemon.start(rig)
    await until('it is reported', () => daemon.events('problem').length > 0)
    // Its registry is written again and again, and terminals come and go.
    for (let n = 0; n < 3; n++) {
      await updateAgent(ref, () => {})
      const other = await rig.deploy(`b${n}`, { claude: 'echo ready' })
      await until('another agent is cleaned up', () => rig.entry(other).cleanup?.state === 'done')
    }
    expect(daemon.events('problem')).toEqual([
      expect.objectContaining({ problem: expect.stringMatching(/^Agent a cannot be seen from here/) }),
    ])
    expect(daemon.events('cleanup-failed')).toEqual([])
    expect(rig.entry(ref)).toMatchObject({ status })
    expect(programs(ref)).toHaveLength(4)
    for (const [file, was] of before)
      if (!file.endsWith('AGENT_REGISTRY.json')) expect(listing(rig.workspace)[file]).toBe(was)
    expect(await daemon.stop()).toBe(0)
  })
})

test('once its namespace is gone, it has ended', async () => {
  const ref = await there.deploy('a', { claude })
  const other = await PidNamespace.start(rig)
  await there.remove()
  expect(other.leakrig(...sweep, rig.workspace).code).toBe(3)
  expect(rig.entry(ref).status).toBe('running')
  // The kernel may have given the number of its namespace to that of another test, for as long as that lasts.
  const isCleaned = () => leakrig([...sweep, rig.workspace]).code === 0
  await until('a sweep finds its namespace gone', isCleaned, 100_000)
  expect(rig.entry(ref)).toMatchObject({ status: 'crashed', reason: expect.stringContaining('was removed') })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('a daemon notices that its namespace is gone', { tags: ['long'] }, async () => {
  const ref = await there.deploy('a', { claude })
  const daemon = await Daemon.start(rig)
  await until('it is reported', () => daemon.events('problem').length > 0)
  await there.remove()
  // A write of the registry is a reason to look again, as the full check is once a minute.
  await updateAgent(ref, () => {})
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(await daemon.stop()).toBe(0)
})

describe('an agent that was deployed here', () => {
  test.each(['running', 'completed'])('is refused there, with everything untouched: %s', async status => {
    const ref = await rig.deploy('a', { claude })
    await setStatus(ref, status)
    await leaves(ref, () => {
      for (const command of commands(ref)) {
        const { code, out, err } = there.leakrig(...command)
        expect([command[0], out + err, code]).toEqual([
          command[0],
          expect.stringMatching(/Agent a cannot be seen from here/),
          3,
        ])
      }
    })
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('and is done keeps its archive there: who holds it is not seen', async () => {
    const ref = await rig.deploy('a', { claude })
    await cleanUp(ref, completed)
    const archived = layout.archived(ref, layout.streamLog(ref))
    const retention = ['retention', '--apply', '--keep-days', '0', rig.workspace]
    fs.utimesSync(archived, new Date('2025-06-01'), new Date('2025-06-01'))
    const { out } = there.leakrig(...retention)
    expect(out).toMatch(/not seen from here/)
    expect(fs.existsSync(archived)).toBe(true)
  })
})

test('a daemon there is not called killed, until its namespace is gone', async () => {
  await Daemon.startBehind(rig, there.enter)
  const daemonLine = () => /^ {2}daemon: .*/m.exec(leakrig(['status', rig.workspace]).out)?.[0]
  await until('it has reported', () => fs.existsSync(`${rig.workspace}/registry/health.json`))
  expect(daemonLine()).toMatch(/process \d+ in pid namespace \d+ .*, heartbeat .* ago, ok$/)
  expect(readDaemon(rig.workspace, Date.now())).toMatchObject({ fresh: true })
  await there.remove()
  // Another test's namespace may have its number by now.
  await until('it is known to be gone', () => daemonLine()?.includes('was killed'), 100_000)
})

/** A live agent is left; one whose status is terminal is refused, because somebody there writes its log. */
async function isLeftBySweeps(ref: AgentRef): Promise<void> {
  await leaves(ref, () => {
    expect(leakrig([...sweep, rig.workspace])).toMatchObject({ code: 0 })
  })
  await setStatus(ref, 'completed')
  await leaves(ref, () => {
    const { code, out } = leakrig([...sweep, rig.workspace])
    expect([code, out]).toEqual([3, expect.stringMatching(/in another pid namespace, writes its log/)])
  })
}

describe('an entry without a record of its world', { tags: ['long'] }, () => {
  test.each([true, false])('of an agent there, whose log is written: tmux recorded: %s', async recorded => {
    const ref = await there.deploy('a', { claude, recorded, world: false, entry: { started_at: OLD } })
    await isLeftBySweeps(ref)
    await leaves(ref, () => expect(cleanUp(ref, completed)).rejects.toMatchObject({ code: 'elsewhere' }))
    await setStatus(ref, 'running')
    await leaves(ref, () => expect(cleanUp(ref, completed)).rejects.toMatchObject({ code: 'elsewhere' }))
  })

  test.each([
    ['deleted', (log: string) => fs.rmSync(log)],
    ['renamed', (log: string) => fs.renameSync(log, `${log}.bak`)],
    ['moved', (log: string) => fs.renameSync(log, `${rig.folder}/${path.basename(log)}`)],
    [
      'replaced',
      (log: string) => {
        fs.rmSync(log)
        fs.writeFileSync(log, '')
      },
    ],
  ])('of an agent there, whose log was %s', async (_, change) => {
    const ref = await there.deploy('a', { claude, recorded: false, world: false })
    change(layout.streamLog(ref))
    await isLeftBySweeps(ref)
  })

  test.each([
    ['is in its place', () => {}],
    ['was deleted', (log: string) => fs.rmSync(log)],
    ['was renamed', (log: string) => fs.renameSync(log, `${log}.bak`)],
  ])(
    'of an agent that has ended here is not kept by one of its name there, whose log %s',
    async (_, change) => {
      const ref = await there.deploy('a', { claude, recorded: false, world: false })
      const here = { ...ref, workspace: `${rig.folder}/other/.agent-workspace` }
      fs.cpSync(rig.workspace, here.workspace, { recursive: true })
      change(layout.streamLog(ref))
      expect(leakrig([...sweep, here.workspace])).toMatchObject({ code: 0 })
      expect(readTaskRegistry(here.workspace, here.taskId).agents).toMatchObject([{ status: 'crashed' }])
      expect(programs(ref)).toHaveLength(4)
    },
  )

  test.each([true, false])('of an agent here, swept from there: tmux recorded: %s', async recorded => {
    const ref = await rig.deploy('a', { claude, recorded, entry: { deployed_on: undefined } })
    for (const status of ['running', 'completed']) {
      await setStatus(ref, status)
      await leaves(ref, () => {
        const { code, out } = there.leakrig(...sweep, rig.workspace)
        expect([code, out]).toEqual([3, expect.stringMatching(/nothing shows that it ran here/)])
      })
    }
    await rig.tmux('kill-session', '-t', '=agent_a:')
    await until('it has ended', () => rig.processesOf(ref).length === 0)
    const past = new Date(Date.now() - 3_600_000)
    fs.utimesSync(layout.streamLog(ref), past, past)
    expect(there.leakrig(...sweep, rig.workspace)).toMatchObject({ code: 0 })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})

/** Commands before `leakrig` with which it sees less, or another thing, than the agent's world. */
const ways: [what: string, code: number, command: string[]][] = [
  ['a pid namespace with our /proc', 3, ['unshare', '--pid', '--fork']],
  ['a pid namespace with our files', 3, ['unshare', '--pid', '--fork', '--mount-proc']],
  ['a time namespace', 3, ['unshare', '-T', '--fork', '--boottime', '100000']],
  [
    'a /tmp of its own',
    3,
    ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs x $TMUX_TMPDIR/tmux-0; exec "$@"', 'sh'],
  ],
  ['a network of its own', 0, ['unshare', '-n']],
  ['a host name of its own', 0, ['unshare', '-u', 'sh', '-c', 'hostname other; exec "$@"', 'sh']],
]

test.each(ways)(
  'an agent here lives, whoever sweeps from %s',
  { tags: ['long'] },
  async (_, code, command) => {
    const refs = [
      await rig.deploy('a', { claude }),
      await rig.deploy('b', { claude, entry: { deployed_on: undefined } }),
    ]
    for (const ref of refs) await rig.waitUntilRunning(ref)
    const [program = '', ...args] = command
    const swept = spawnSync(program, [
      ...args,
      process.execPath,
      testProgram('leakrig'),
      ...sweep,
      rig.workspace,
    ])
    expect(swept.status).toBe(code)
    for (const ref of refs) {
      expect(programs(ref)).toHaveLength(4)
      expect(rig.entry(ref).status).toBe('running')
      expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
    }
  },
)

describe('an agent of an earlier boot', () => {
  const boot_id = '00000000-0000-4000-8000-000000000000'
  const deployed = async (world: object) => {
    const ref = await rig.deploy('a', {
      claude,
      entry: { deployed_on: { ...thisWorld(), boot_id, ...world } },
    })
    rig.tmux('kill-session', '-t', '=agent_a:')
    await until('it has ended', () => rig.processesOf(ref).length === 0)
    return ref
  }

  test('of this machine has ended, whoever has its numbers now', async () => {
    const ref = await deployed({})
    const before = new Date(Date.now() - os.uptime() * 1000 - 60_000)
    fs.utimesSync(layout.streamLog(ref), before, before)
    const namesake = rig.newSession(ref, { claude: '', marker: false }, ['sleep', '1000'])
    await updateAgent(ref, entry => Object.assign(entry, { tmux: namesake }))
    expect(leakrig(['sweep', '--apply', rig.workspace])).toMatchObject({ code: 0 })
    expect(rig.entry(ref)).toMatchObject({
      status: 'crashed',
      reason: expect.stringContaining('was restarted'),
    })
    expect(isRunning(namesake.pane_pid)).toBe(true)
  })

  test('whose log was written since is on another machine of the same name', async () => {
    const ref = await deployed({})
    const { code, out } = leakrig([...sweep, rig.workspace])
    expect([code, out]).toEqual([3, expect.stringMatching(/its log was written after that/)])
    expect(rig.entry(ref).status).toBe('running')
  })

  test.each([{ host: 'other' }, { machine: '0123456789abcdef' }])('of another machine: %j', async world => {
    const ref = await deployed(world)
    const { code, out } = leakrig([...sweep, rig.workspace])
    expect([code, out]).toEqual([3, expect.stringMatching(/on another machine/)])
    expect(rig.entry(ref).status).toBe('running')
  })
})
