import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { AdoptedChildren } from '../../containment/adopted-children.ts'
import { cgroupName } from '../../containment/recorded.ts'
import { type AgentRef, type CleanUpReport, cleanUp, sweep } from '../../index.ts'
import {
  addAgent,
  agentMarker,
  layout,
  RECORD_FORMAT,
  type RecordedTmux,
  recordOf,
  updateAgent,
} from '../../orchestrator.ts'
import { ownCgroup, removeCgroup } from '../../platform/processes/cgroup.ts'
import { signal } from '../../platform/processes/signals.ts'
import { isAlive, startOf } from '../../platform/processes/table.ts'
import { canCreateCgroups } from '../support/can-create-cgroups.ts'
import { isRunning, kill, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'
import { Witness } from '../support/witness.ts'

/*
 * An agent writes the user's processes and sessions into its registry, and into the file beside its prompt. None of them is
 * touched: a record is only a hint.
 */

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
let witness: Witness
beforeEach(async () => {
  rig = await Rig.start()
  witness = new Witness(rig, 'user')
})
afterEach(() => rig[Symbol.asyncDispose]())

const forge = (ref: AgentRef, fields: object) => updateAgent(ref, entry => Object.assign(entry, fields))

/** Cleans up in both ways, and returns the report of the second. */
async function end(ref: AgentRef): Promise<CleanUpReport> {
  await sweep(ref.workspace, { graceMs: 300, minAgeMs: 0 })
  return cleanUp(ref, { status: 'completed', reason: 'it said so', graceMs: 300 })
}

/** Starts the witness in a session of the user's; returns that session's place as an orchestrator would record it. */
async function inSession(name: string, socket = rig.socket): Promise<RecordedTmux> {
  const line = ['new-session', '-d', '-P', '-F', RECORD_FORMAT, '-s', name, '--', ...witness.command]
  const tmux = recordOf(rig.tmux('-S', socket, '-f', '/dev/null', ...line))
  await witness.pid()
  return { ...tmux, pane_start: startOf(tmux.pane_pid) ?? 0 }
}

describe('a recorded pane', () => {
  /** An agent whose tmux server has ended. */
  async function deployEarlier(): Promise<AgentRef> {
    const ref = await rig.deploy('a', { claude: idle, socket: path.join(rig.folder, 'gone') })
    kill(rig.entry(ref).tmux?.server_pid ?? 0)
    await until('it is gone', () => rig.processesOf(ref).length === 0)
    return ref
  }

  test('is a process of the user’s, while the server is dead', async () => {
    const ref = await deployEarlier()
    const pane_pid = rig.start(witness.command[0] ?? '', witness.command.slice(1))
    await witness.pid()
    await forge(ref, { tmux: { ...rig.entry(ref).tmux, pane_pid, pane_start: startOf(pane_pid) } })
    expect(await end(ref)).toMatchObject({ outcome: 'clean', ended: [] })
    expect(witness.harm()).toEqual([])
  })

  test('is the user’s tmux server, while the agent’s is dead', async () => {
    const ref = await deployEarlier()
    const { server_pid: pane_pid } = await inSession('work')
    await forge(ref, { tmux: { ...rig.entry(ref).tmux, pane_pid, pane_start: startOf(pane_pid) } })
    expect(await end(ref)).toMatchObject({ outcome: 'clean', ended: [] })
    expect(isRunning(pane_pid)).toBe(true)
    expect(witness.harm()).toEqual([])
  })

  test('is one that outlived a server of the user’s, with every mark in its environment: it is reported as a suspect', async () => {
    const ref = await deployEarlier()
    const tmux = await inSession('work', path.join(rig.folder, 'other'))
    kill(tmux.server_pid)
    await until('the server is dead', () => !isRunning(tmux.server_pid))
    await until('it was hung up', () => witness.harm().length > 0)
    const before = witness.harm()
    await forge(ref, { tmux })
    const { outcome, ended, suspects } = await end(ref)
    expect({ outcome, ended }).toEqual({ outcome: 'clean', ended: [] })
    expect(suspects.find(({ pid }) => pid === tmux.pane_pid)).toMatchObject({
      resemblances: [expect.stringMatching(/session that was recorded for the agent/)],
    })
    expect(witness.harm()).toEqual(before)
  })

  test('is one in a living session, which the registry calls gone', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const tmux = await inSession('work')
    rig.tmux('kill-session', '-t', '=agent_a:')
    await forge(ref, { tmux: { ...tmux, session_created: 1 } })
    expect(await end(ref)).toMatchObject({ outcome: 'clean', ended: [] })
    await forge(ref, { tmux: { ...tmux, session_id: '$99' }, cleanup: undefined, status: 'running' })
    expect(await end(ref)).toMatchObject({ outcome: 'clean', ended: [] })
    expect(witness.harm()).toEqual([])
  })
})

describe('a session of the user’s', () => {
  const isSpared = (report: CleanUpReport) =>
    expect(report).toMatchObject({
      outcome: 'clean',
      session: 'left-alone',
      ended: [],
      // Without root rights few environments can be read, and the report notes that.
      notes: expect.arrayContaining([
        expect.stringMatching(/^The session work .* is left alone, .*: the registry alone names it\.$/),
      ]),
    })

  test('is recorded with everything that tmux shows of it', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    rig.tmux('kill-session', '-t', '=agent_a:')
    await forge(ref, { tmux: await inSession('work'), status: 'completed' })
    const { agents } = await sweep(rig.workspace, { graceMs: 300, minAgeMs: 0 })
    expect(agents).toMatchObject([
      { plan: { end: [], stays: [expect.stringMatching(/registry alone names it/)] } },
    ])
    expect(agents[0]).not.toHaveProperty('plan.session')
    isSpared(await end(ref))
    expect(witness.harm()).toEqual([])
  })

  test.each([
    ['a', 'work'],
    ['work', 'work'],
    ['work', '=work:'],
  ])('is named: the agent %s, the session %s', async (id, tmux_session) => {
    const ref = rig.ref(id)
    await addAgent(ref, { status: 'running', tmux_session, started_at: new Date().toISOString() })
    await inSession('work')
    const { ended } = await end(ref)
    expect(ended).toEqual([])
    expect(rig.sessions()).toContain('work')
    expect(witness.harm()).toEqual([])
  })

  test('is one in which the agent has opened a window: only that window ends', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const tmux = await inSession('work')
    rig.tmux('kill-session', '-t', '=agent_a:')
    const planted = `echo $$ >${rig.folder}/planted.pid; exec 7>>${layout.streamLog(ref)}; sleep 1000`
    rig.tmux('new-window', '-d', '-t', '=work:', planted)
    const pid = await rig.pid('planted')
    await forge(ref, { tmux })
    expect(await end(ref)).toMatchObject({ outcome: 'clean', session: 'left-alone' })
    expect(isRunning(pid)).toBe(false)
    expect(rig.sessions()).toContain('work')
    expect(witness.harm()).toEqual([])
  })

  test('is one into which the agent has put its marker', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    rig.tmux('kill-session', '-t', '=agent_a:')
    rig.tmux('new-session', '-d', '-s', 'work', 'sleep 1000')
    rig.tmux('set-environment', '-t', '=work:', 'LEAKRIG_AGENT', agentMarker(ref))
    const created = rig.tmux(
      'new-window',
      '-d',
      '-t',
      '=work:',
      '-P',
      '-F',
      RECORD_FORMAT,
      witness.shellCommand,
    )
    const pid = await witness.pid()
    await forge(ref, { tmux: { ...recordOf(created), pane_start: startOf(pid) } })
    expect(await end(ref)).toMatchObject({ outcome: 'clean', session: 'left-alone', ended: [] })
    expect(witness.harm()).toEqual([])
  })

  test('an agent’s own session that the user has renamed is still the agent’s', async () => {
    const ref = await rig.deploy('a', { claude: 'echo ready', after: 'exec sleep 1000' })
    rig.tmux('rename-session', '-t', '=agent_a:', 'looking at this')
    expect(await end(ref)).toMatchObject({ outcome: 'clean', session: 'ended-by-itself' })
    expect(rig.sessions()).toEqual(['user'])
    expect(rig.processesOf(ref)).toEqual([])
  })
})

describe('a subreaper', () => {
  test('is a process of the user’s, with what runs below it', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const parent = rig.start('bash', ['-c', `sleep 1000 & ${witness.shellCommand} & wait`])
    await witness.pid()
    await forge(ref, { contained: { by: 'tini', pid: parent, start: startOf(parent) } })
    new AdoptedChildren().record(ref, rig.entry(ref))
    expect(fs.existsSync(layout.adoptedChildrenFile(ref))).toBe(false)
    expect(await end(ref)).toMatchObject({ outcome: 'clean' })
    expect(isRunning(parent)).toBe(true)
    expect(witness.harm()).toEqual([])
  })

  test('is the user’s tmux server', async () => {
    const ref = await rig.deploy('a', { claude: idle, socket: path.join(rig.folder, 'agents') })
    const { server_pid: pid } = await inSession('work')
    await forge(ref, { contained: { by: 'tini', pid, start: startOf(pid) } })
    expect(await end(ref)).toMatchObject({ outcome: 'clean' })
    expect(isRunning(pid)).toBe(true)
    expect(witness.harm()).toEqual([])
  })

  test.each([
    ['a daemon of the user’s', ''],
    ['one that carries another marker', 'env -i LEAKRIG_AGENT=/tmp/y/z'],
    ['one that `service` has started', 'env -i PATH=/usr/bin:/bin LANG=C TERM='],
    ['one with a user', 'env -i PATH=/usr/bin:/bin HOME=/root USER=root'],
    ['one with a variable of its own', 'env -i PATH=/usr/bin:/bin PORT=3000'],
  ])('is recorded as having adopted %s', async (_, env) => {
    const ref = await rig.deploy('a', { claude: idle })
    rig.start('bash', ['-c', `setsid ${env} ${witness.shellCommand} & exit`])
    const pid = await witness.pid()
    fs.writeFileSync(layout.adoptedChildrenFile(ref), `${pid} ${startOf(pid)}\n`)
    expect(await end(ref)).toMatchObject({ outcome: 'clean' })
    expect(witness.harm()).toEqual([])
  })
})

describe('the marker in a tmux server’s environment', () => {
  test.each([
    ['its own server', 'default'],
    ['another one', 'other'],
  ])('%s: the user’s panes and jobs are the user’s', async (_, name) => {
    const ref = await rig.deploy('a', { claude: idle })
    const socket = path.join(path.dirname(rig.socket), name)
    const tmux = (...args: string[]) => rig.tmux('-S', socket, '-f', '/dev/null', ...args)
    tmux('new-session', '-d', '-s', 'before', 'sleep 1000')
    tmux('set-environment', '-g', 'LEAKRIG_AGENT', agentMarker(ref))
    tmux('new-session', '-d', '-s', 'work', '--', ...witness.command)
    await witness.pid()
    const job = new Witness(rig, 'job')
    tmux('run-shell', '-b', job.shellCommand)
    const pid = await job.pid()
    const { outcome, suspects } = await end(ref)
    expect(outcome).toBe('clean')
    expect(witness.harm()).toEqual([])
    expect(job.harm()).toEqual([])
    expect(suspects.map(one => one.pid)).toContain(pid)
  })

  test.each([
    ['its own server', 'default'],
    ['another one', 'other'],
  ])('%s, which has ended since: the user’s daemon is named and left', async (_, name) => {
    const ref = await rig.deploy('a', {
      claude: `setsid -f bash -c 'echo $$ >own.pid; exec sleep 1000'; ${idle}`,
    })
    const own = await rig.pid('own')
    const socket = path.join(path.dirname(rig.socket), name)
    const tmux = (...args: string[]) => rig.tmux('-S', socket, '-f', '/dev/null', ...args)
    tmux('new-session', '-d', '-s', 'before', 'sleep 1000')
    tmux('set-environment', '-g', 'LEAKRIG_AGENT', agentMarker(ref))
    tmux('new-window', '-d', '-t', '$0:', `setsid -f ${witness.shellCommand}; exec sleep 1000`)
    const pid = await witness.pid()
    const server = Number(tmux('display-message', '-p', '#{pid}'))
    tmux('kill-server')
    await until('nothing is left of the server', () => startOf(server) === undefined)
    const { outcome, suspects } = await end(ref)
    expect(outcome).toBe('clean')
    expect(isRunning(own)).toBe(false)
    expect(suspects.map(one => one.pid)).toContain(pid)
    await sweep(ref.workspace, { graceMs: 300, minAgeMs: 0, apply: true, orphans: true })
    expect(witness.harm()).toEqual([])
  })

  test('the user’s server that was started there is the user’s', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    rig.tmux('set-environment', '-g', 'LEAKRIG_AGENT', agentMarker(ref))
    const inner = path.join(rig.folder, 'inner')
    const start = `tmux -S ${inner} -f /dev/null new-session -d "$@"; sleep 1000`
    rig.tmux('new-session', '-d', '-s', 'work', '--', 'bash', '-c', start, 'bash', ...witness.command)
    await witness.pid()
    expect(await end(ref)).toMatchObject({ outcome: 'clean' })
    expect(rig.sessions()).toContain('work')
    expect(witness.harm()).toEqual([])
  })

  test.each([
    ['nothing of tmux', 'env -u TMUX -u TMUX_PANE'],
    ['an empty TMUX', 'env TMUX='],
  ])('what the user starts there with %s in its environment is the user’s', async (_, env) => {
    const ref = await rig.deploy('a', { claude: idle })
    rig.tmux('set-environment', '-g', 'LEAKRIG_AGENT', agentMarker(ref))
    const start = `${env} bash -c '"$@"; exit' bash "$@"; sleep 1000`
    rig.tmux('new-session', '-d', '-s', 'work', '--', 'bash', '-c', start, 'bash', ...witness.command)
    await witness.pid()
    expect(await end(ref)).toMatchObject({ outcome: 'clean' })
    expect(witness.harm()).toEqual([])
  })

  test('a server that the agent has started ends, with everything that runs in it or has left it', async () => {
    const socket = path.join(rig.folder, 'nested')
    const left = `setsid sleep 1000 & echo $! >${rig.folder}/left.pid; exec sleep 1000`
    const start = `tmux -S ${socket} -f /dev/null new-session -d '${left}'`
    const ref = await rig.deploy('a', { claude: `${start}; ${idle}` })
    const pid = await rig.pid('left')
    const server = Number(rig.tmux('-S', socket, 'display-message', '-p', '#{pid}'))
    expect(await end(ref)).toMatchObject({ outcome: 'clean' })
    expect([pid, server].map(isRunning)).toEqual([false, false])
  })
})

describe('a process of another user', () => {
  needs('root rights', process.geteuid?.() === 0)
  const stranger = ['setpriv', '--reuid=54321', '--regid=54321', '--clear-groups']
  beforeEach(() => {
    const open = path.join(rig.folder, 'open')
    fs.chmodSync(rig.folder, 0o711)
    fs.mkdirSync(open)
    fs.chmodSync(open, 0o777)
    witness = new Witness(rig, 'open/stranger')
  })

  test.each([
    ['carries the marker', []],
    ['is noted as adopted', ['env', '-i']],
  ])('%s', async (_, env) => {
    const ref = await rig.deploy('a', { claude: idle })
    const [command = '', ...words] = [...env, ...stranger, ...witness.command]
    rig.start('bash', ['-c', 'setsid "$@" & exit', 'bash', command, ...words], {
      LEAKRIG_AGENT: agentMarker(ref),
    })
    const pid = await witness.pid()
    fs.writeFileSync(layout.adoptedChildrenFile(ref), `${pid} ${startOf(pid)}\n`)
    expect(await end(ref)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(witness.harm()).toEqual([])
  })

  test('that was ours when it was claimed', async () => {
    const [command = '', ...words] = witness.command
    const pid = rig.start('bash', [
      '-c',
      `until [ -e ${path.join(rig.folder, 'go')} ]; do sleep 0.01; done; exec "$@"`,
      'bash',
      ...[...stranger, command, ...words],
    ])
    const claimed = { pid, start: startOf(pid) ?? 0 }
    expect(signal(claimed, 'SIGCONT')).toBe('sent')
    fs.writeFileSync(path.join(rig.folder, 'go'), '')
    expect(await witness.pid()).toBe(pid)
    expect(isAlive(claimed)).toBe(true)
    expect(signal(claimed, 'SIGTERM', 'SIGKILL')).toBe('refused')
    expect(witness.harm()).toEqual([])
  })

  test('that the agent has started is reported, and the agent does not count as clean', async () => {
    const ref = await rig.deploy('a', {
      claude: `setsid ${stranger.join(' ')} ${witness.shellCommand} & ${idle}`,
    })
    const pid = await witness.pid()
    const said = `Process ${pid} (perl) of user 54321 is still there: it belongs to another user, and only the processes of the workspace’s owner are ended.`
    await forge(ref, { status: 'completed' })
    const { agents } = await sweep(rig.workspace, { graceMs: 300, minAgeMs: 0 })
    expect(agents).toMatchObject([{ plan: { stays: [said] } }])
    expect(await end(ref)).toMatchObject({ outcome: 'unfinished', problems: [said] })
    expect(witness.harm()).toEqual([])
    kill(pid)
    await until('it has ended', () => !isRunning(pid))
    expect(await end(ref)).toMatchObject({ outcome: 'clean' })
  })
})

test('a cgroup that is a link to the user’s is ignored', async () => {
  needs('cgroup that we may write', canCreateCgroups)
  const ref = await rig.deploy('a', { claude: idle })
  const theirs = path.join(ownCgroup() ?? '', `leakrig-test-${process.pid}`)
  fs.mkdirSync(theirs)
  try {
    const pid = rig.start(witness.command[0] ?? '', witness.command.slice(1))
    await witness.pid()
    fs.writeFileSync(path.join(theirs, 'cgroup.procs'), String(pid))
    fs.mkdirSync(path.join(theirs, 'empty'))
    const link = path.join(rig.folder, cgroupName(ref))
    fs.symlinkSync(theirs, link)
    await forge(ref, { contained: { by: 'cgroup', path: link } })
    const { outcome, removed } = await end(ref)
    expect(outcome).toBe('clean')
    expect(removed).not.toContain(link)
    expect(witness.harm()).toEqual([])
    expect(fs.existsSync(path.join(theirs, 'empty'))).toBe(true)
    kill(pid)
    await until('it has left the cgroup', () => !isRunning(pid))
  } finally {
    removeCgroup(theirs)
  }
})
