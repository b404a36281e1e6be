import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { claimsFor, cleanUp } from '../../index.ts'
import { agentMarker, layout, updateAgent } from '../../orchestrator.ts'
import { leakrig } from '../support/cli.ts'
import { isRunning, kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const completed = { status: 'completed', reason: 'it said so' }
const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

test('an agent whose id begins with this one’s, and sessions whose names do', async () => {
  const ref = await rig.deploy('1', { claude: idle })
  const neighbour = await rig.deploy('1x', { claude: idle })
  rig.tmux('new-session', '-d', '-s', 'agent_1 of mine', 'sleep 1000')
  await cleanUp(ref, completed)
  expect(rig.sessions().sort()).toEqual(['agent_1 of mine', 'agent_1x', 'user'])
  expect(rig.processesOf(neighbour)).toHaveLength(4)
  expect(rig.entry(neighbour)).toMatchObject({ status: 'running' })
  expect(fs.existsSync(layout.streamLog(neighbour))).toBe(true)
})

test('a process that names the agent in an argument, or reads its log', async () => {
  const ref = await rig.deploy('1', { claude: idle })
  const pids = [
    rig.start('bash', ['-c', 'sleep 1000; : claude agent_1 1', 'claude', agentMarker(ref)]),
    rig.start('tail', ['-f', layout.streamLog(ref)]),
    rig.start('bash', ['-c', `exec 7<${layout.streamLog(ref)}; exec -a claude sleep 1000`]),
    rig.start('sleep', ['1000'], { LEAKRIG_AGENT: `${agentMarker(ref)}x` }),
  ]
  await until('tail has it open', () => isReading(pids[1] ?? 0, layout.streamLog(ref)))
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(pids.filter(pid => !isRunning(pid))).toEqual([])
})

test('a tmux server that inherited the agent’s marker, and every pane in it', async () => {
  const socket = `${rig.folder}/marked`
  process.env.LEAKRIG_AGENT = agentMarker(rig.ref('1'))
  try {
    rig.tmux(
      '-S',
      socket,
      '-f',
      '/dev/null',
      'new-session',
      '-d',
      '-s',
      'mine',
      `echo $$ >${rig.folder}/mine.pid; exec sleep 1000`,
    )
  } finally {
    delete process.env.LEAKRIG_AGENT
  }
  const mine = await rig.pid('mine')
  const ref = await rig.deploy('1', { claude: idle, socket })
  const server = rig.entry(ref).tmux?.server_pid ?? 0
  rig.tmux('-S', socket, 'run-shell', '-b', `echo $$ >${rig.folder}/job.pid; exec sleep 1000`)
  const job = await rig.pid('job')
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect([server, mine, job].filter(pid => !isRunning(pid))).toEqual([])
  expect(rig.processesOf(ref)).toHaveLength(3)
})

test('an agent that the agent deployed', async () => {
  const ref = await rig.deploy('parent', { claude: idle })
  const child = await rig.deploy('child', { claude: idle })
  // It runs below the parent's pane, but with the child's marker.
  rig.tmux(
    ...['split-window', '-d', '-t', '=agent_parent:', '-e', `LEAKRIG_AGENT=${agentMarker(child)}`],
    `echo $$ >${rig.folder}/below.pid; exec sleep 1000`,
  )
  const below = await rig.pid('below')
  const { spared } = await claimsFor(ref)
  expect(spared.map(({ process, sparedFor }) => [process.pid, sparedFor])).toContainEqual([
    below,
    'other-agent',
  ])
  kill(below)
  await until('below has ended', () => !isRunning(below))
  await cleanUp(ref, completed)
  expect(rig.processesOf(child)).toHaveLength(4)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('a window of the user’s that is linked into the agent’s session', async () => {
  const ref = await rig.deploy('host', { claude: idle })
  rig.tmux('link-window', '-s', '=user:0', '-t', '=agent_host:5')
  await cleanUp(ref, completed)
  expect(rig.sessions()).toEqual(['user'])
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

const mayUnshare = spawnSync('unshare', ['-pfm', '--kill-child', 'true']).status === 0

test('a sandbox that looks alike: same terminal numbers, same variables, same paths', async () => {
  needs('right to make a pid namespace', mayUnshare)
  const ref = await rig.deploy('1', { claude: idle })
  const log = layout.streamLog(ref)
  const { tmux } = rig.entry(ref)
  // It has terminals of its own, numbered from 0 like ours, and its own folder mounted over the workspace.
  const inside = `mount -t proc proc /proc
    mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts; mount --bind /dev/pts/ptmx /dev/ptmx
    mount -t tmpfs tmpfs ${rig.workspace}; mkdir -p ${path.dirname(log)}; exec 7>>${log}
    for n in 0 1 2 3; do script -qc 'sleep 1000' /dev/null & done
    while ! [ -e /dev/pts/3 ]; do sleep 0.01; done; echo ready >${rig.folder}/inside; wait`
  const looks = [
    `LEAKRIG_AGENT=${agentMarker(ref)}`,
    `TMUX=${tmux?.socket},${tmux?.server_pid},${tmux?.session_id.slice(1)}`,
    `TMUX_PANE=${tmux?.pane_id}`,
  ]
  const sandbox = rig.start('unshare', ['-pfm', '--kill-child', 'env', ...looks, 'sh', '-c', inside])
  await until('it stands', () => fs.existsSync(`${rig.folder}/inside`))
  const before = descendants(sandbox)
  const { claimed } = await claimsFor(ref)
  expect(claimed.map(({ process }) => process.pid).filter(pid => before.includes(pid))).toEqual([])
  kill(sandbox)
  await until('it is gone', () => !before.some(isRunning))
})

test('a process that writes the logs of several agents', async () => {
  const [ref, other] = [await rig.deploy('a', { claude: idle }), await rig.deploy('b', { claude: idle })]
  const script = `exec 7>>${layout.streamLog(ref)} 8>>${layout.streamLog(other)}; echo $$ >${rig.folder}/both.pid; sleep 1000`
  rig.start('bash', ['-c', script])
  const both = await rig.pid('both')
  const report = await cleanUp(ref, completed)
  expect(isRunning(both)).toBe(true)
  expect(report).toMatchObject({
    outcome: 'unfinished',
    problems: [expect.stringContaining(`process ${both} (`)],
  })
  expect(fs.existsSync(layout.streamLog(ref))).toBe(true)
  expect(rig.entry(ref).cleanup).toMatchObject({ state: 'pending', problems: report.problems })
  kill(both)
  await until('it has ended', () => !isRunning(both))
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

/** Opens the log to write in it, as an editor or a collector does, and says so. */
const holding = (log: string) => `exec 7>>${log}; echo $$ >${rig.folder}/holder.pid; sleep 1000; :`

test.each([
  [
    'whose parent lives',
    (log: string) => void rig.start('bash', ['-c', holding(log)], { TMUX: undefined, TMUX_PANE: undefined }),
  ],
  [
    'in a window of the user’s',
    (log: string) => void rig.tmux('new-window', '-d', '-t', 'user', `bash -c '${holding(log)}'`),
  ],
])('a program of the user’s that holds the agent’s log, younger than the agent, %s', async (_, open) => {
  const ref = await rig.deploy('a', { claude: idle })
  open(layout.streamLog(ref))
  const holder = await rig.pid('holder')
  const children = () => descendants(holder)
  await until('it waits', () => children().length > 0)
  const before = children()
  const report = await cleanUp(ref, completed)
  expect([holder, ...before].map(isRunning)).toEqual([true, true])
  expect(report.problems).toEqual([expect.stringMatching(/a_stream.jsonl was left in place: process \d+ /)])
  expect(report.outcome).toBe('unfinished')
  for (const pid of [holder, ...before]) kill(pid)
  await until('it has ended', () => ![holder, ...before].some(isRunning))
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

/** Shell code that opens the log to write in it, and goes on without a child. */
const holdingAlone = (log: string) => `echo $$ >${rig.folder}/holder.pid; exec sleep 1000 >>${log}`

/** Opens a session of the user's on a tmux server of its own. */
const onAnotherServer = (command: string) =>
  rig.tmux('-S', `${rig.folder}/work`, '-f', '/dev/null', 'new-session', '-d', '-s', 'mine', command)

const OUTSIDE = { TMUX: undefined, TMUX_PANE: undefined }

/** The user's programs that an adopter or a tmux server has started, as it seems. */
const holders: [what: string, open: (log: string) => unknown][] = [
  ['in a pane of another tmux server', log => onAnotherServer(holdingAlone(log))],
  [
    'a pipe-pane of another tmux server',
    log => {
      onAnotherServer('sleep 1000')
      rig.tmux('-S', `${rig.folder}/work`, 'pipe-pane', '-t', 'mine', holdingAlone(log))
    },
  ],
  [
    'an orphan from a pane of another tmux server',
    log => onAnotherServer(`setsid -f sh -c '${holdingAlone(log)}'; exec sleep 1000`),
  ],
  [
    'a service of a user’s manager',
    log => {
      const manager = `${rig.folder}/systemd`
      fs.copyFileSync('/bin/bash', manager)
      fs.chmodSync(manager, 0o755)
      rig.start(manager, ['-c', `INVOCATION_ID=0123 bash -c '${holdingAlone(log)}' & wait`], OUTSIDE)
    },
  ],
  [
    'an orphan of another login',
    log =>
      rig.start('setsid', ['-f', 'sh', '-c', holdingAlone(log)], {
        ...OUTSIDE,
        SSH_CONNECTION: '1 2 3 4',
        SSH_TTY: '/dev/pts/99',
        XDG_SESSION_ID: '7',
      }),
  ],
]

describe.each(holders)('a program of the user’s that holds the agent’s log: %s', (_, open) => {
  test.each([true, false])('stays when the agent is ended, whose place is recorded: %s', async recorded => {
    const ref = await rig.deploy('a', { claude: idle, recorded })
    // The next cleanup of an agent without a record tells it by that.
    await until('it begins later than the log', () => recorded || isOlderThan(layout.streamLog(ref), 2_100))
    open(layout.streamLog(ref))
    const holder = await rig.pid('holder')
    await until('it holds it', () => isWriting(holder, layout.streamLog(ref)))
    const report = await cleanUp(ref, completed)
    expect(isRunning(holder)).toBe(true)
    expect(report).toMatchObject({
      outcome: 'unfinished',
      problems: [expect.stringContaining(`a_stream.jsonl was left in place: process ${holder} (`)],
    })
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'unfinished', ended: [] })
    expect(isRunning(holder)).toBe(true)
    kill(holder)
    await until('it has ended', () => !isRunning(holder))
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('stays when the agent has ended by itself, and is swept', async () => {
    const ref = await rig.deploy('a', { claude: `echo ready; while ! [ -e go ]; do sleep 0.02; done` })
    open(layout.streamLog(ref))
    const holder = await rig.pid('holder')
    await until('it holds it', () => isWriting(holder, layout.streamLog(ref)))
    fs.writeFileSync(`${rig.folder}/go`, '')
    await until('the agent has ended', () => !rig.sessions().includes('agent_a'))
    const { out } = leakrig(['sweep', rig.workspace, '--apply'])
    expect(isRunning(holder)).toBe(true)
    expect(out).toContain(`process ${holder} (`)
  })
})

describe('a pipe-pane on the agent’s server that writes its log', () => {
  const pipe = (session: string, log: string) =>
    rig.tmux('pipe-pane', '-t', `=${session}:`, `echo $$ >${rig.folder}/holder.pid; exec cat >>${log}`)

  test('ends with the agent when it reads the agent’s pane', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    pipe('agent_a', layout.streamLog(ref))
    const holder = await rig.pid('holder')
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(isRunning(holder)).toBe(false)
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('ends with the agent when it began with it, and ignores the end of its input', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    rig.tmux('pipe-pane', '-t', '=agent_a:', holdingAlone(layout.streamLog(ref)))
    const holder = await rig.pid('holder')
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(isRunning(holder)).toBe(false)
  })

  test('stays when it is the user’s, and began later than the agent', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    // As if the agent had begun a minute ago.
    await updateAgent(
      ref,
      ({ tmux }) => tmux && Object.assign(tmux, { pane_start: (tmux.pane_start ?? 0) - 6_000 }),
    )
    pipe('user', layout.streamLog(ref))
    const holder = await rig.pid('holder')
    const report = await cleanUp(ref, completed)
    expect(isRunning(holder)).toBe(true)
    expect(report.problems).toEqual([expect.stringContaining(`process ${holder} (`)])
  })
})

test.each([
  ['pane’s', { pane_start: 1 }],
  ['pane’s, after a restart of the machine', { server_start: 1 }],
])('a process that has the recorded number of the %s', async (_, spoilt) => {
  const ref = await rig.deploy('gone', { claude: idle })
  const stranger = rig.start('sleep', ['1000'])
  rig.tmux('kill-session', '-t', rig.entry(ref).tmux?.session_id ?? '')
  await until('the session is gone', () => rig.processesOf(ref).length === 0)
  await updateAgent(ref, entry => {
    if (entry.tmux) Object.assign(entry.tmux, { pane_pid: stranger, ...spoilt })
  })
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', ended: [], session: 'was-gone' })
  expect(isRunning(stranger)).toBe(true)
  expect(rig.sessions()).toEqual(['user'])
})

function descendants(pid: number): number[] {
  const children = fs
    .readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number)
  return [...children, ...children.flatMap(descendants)]
}

const isOlderThan = (file: string, ms: number): boolean => Date.now() - fs.statSync(file).birthtimeMs > ms

const isWriting = (pid: number, log: string): boolean => {
  try {
    return fs.readlinkSync(`/proc/${pid}/fd/1`) === log
  } catch {
    return false
  }
}

function isReading(pid: number, file: string): boolean {
  return fs.readdirSync(`/proc/${pid}/fd`).some(fd => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${fd}`) === file
    } catch {
      return false
    }
  })
}
