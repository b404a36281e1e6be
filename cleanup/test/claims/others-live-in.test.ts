import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claim } from '../../claims/claim.ts'
import { observe } from '../../claims/observe.ts'
import { cleanUp, measure } from '../../index.ts'
import {
  addAgent,
  addTask,
  agentMarker,
  initRegistries,
  RECORD_FORMAT,
  recordOf,
  thisWorld,
} from '../../orchestrator.ts'
import { quote } from '../../platform/shell.ts'
import { readTaskRegistry } from '../../registry/registry.ts'
import { attach, attachTo } from '../support/attach.ts'
import { leakrig } from '../support/cli.ts'
import { type Deployment, isRunning, NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'
import { Witness } from '../support/witness.ts'

/* What others live in is not ended, whoever opened it: a server, a session, a window or a pane. */

const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }
const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
let witness: Witness
beforeEach(async () => {
  rig = await Rig.start()
  witness = new Witness(rig, 'user')
})
afterEach(() => rig[Symbol.asyncDispose]())

/** The leftovers of this test: others on the machine may have left something of a workspace that was removed. */
async function leftovers() {
  const { processes } = await measure([rig.workspace])
  return processes?.leftovers.filter(({ pid }) => readText(`/proc/${pid}/environ`).includes(rig.folder))
}

const second = () => path.join(rig.folder, 'second')
/** A command that starts the user's own tmux server, and a witness on it, from the pane that it runs in. */
const startsSecond = (variables: string) =>
  `${variables}tmux -f /dev/null -S ${second()} new-session -d -s second ${quote(witness.shellCommand)}; exec sleep 1000`
const secondServer = () => Number(rig.tmux('-S', second(), 'display-message', '-p', '#{pid}'))

describe('a tmux server that the agent started', () => {
  const socket = () => path.join(rig.folder, 'nested')
  const nested = 'new-session -d -s swarm "echo \\$\\$ >swarm.pid; exec sleep 1000"'
  const deploy = (more = '', deployment: Partial<Deployment> = {}) =>
    rig.deploy('a', { claude: `tmux -f /dev/null -S ${socket()} ${nested}${more}\n${idle}`, ...deployment })
  const open = (...words: string[]) =>
    rig.tmux('-S', socket(), 'new-session', '-d', ...words, '--', ...witness.command)
  const serverPid = () => Number(rig.tmux('-S', socket(), 'display-message', '-p', '#{pid}'))

  test('ends, with all that is on it, if nobody else uses it', async () => {
    const ref = await deploy(' \\; split-window -d "sleep 1000" \\; new-window -d "sleep 1000"')
    const [swarm, server] = [await rig.pid('swarm'), serverPid()]
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', notes: [] })
    expect([swarm, server].filter(isRunning)).toEqual([])
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  const ofUser = () => open('-s', 'mine')
  const grouped = () => {
    rig.tmux('-S', socket(), 'new-session', '-d', '-s', 'mine', '-t', 'swarm')
    rig.tmux('-S', socket(), 'new-window', '-d', '-t', '=mine:', ...witness.command)
  }
  test.each<[string, Partial<Deployment>, () => unknown]>([
    ['a session of the user’s', {}, ofUser],
    ['a session of the user’s, when the agent was contained', { contained: true }, ofUser],
    ['a session of the user’s, when only a name is on record', { recorded: false, marker: false }, ofUser],
    ['a session of the user’s, grouped with the agent’s', {}, grouped],
  ])('stays for %s, and only what the agent opened ends', async (_, deployment, begin) => {
    const ref = await deploy('', deployment)
    const [swarm, server] = [await rig.pid('swarm'), serverPid()]
    begin()
    await witness.pid()
    const shown = leakrig(['explain', 'a', rig.workspace]).out
    expect(shown).toMatch(/left running: it holds the session mine \(\$1\)/)
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'clean' })
    expect(report.notes).toContainEqual(
      expect.stringMatching(
        new RegExp(`server ${server}, .* it holds the session mine .*"tmux -S ${socket()} list-sessions"`),
      ),
    )
    expect(isRunning(swarm)).toBe(false)
    expect(rig.tmux('-S', socket(), 'list-sessions', '-F', '#{session_name}')).toMatch(/mine/)
    expect(witness.harm()).toEqual([])
    // What lives there is no leftover, although the server handed it the agent's marker.
    expect(await leftovers()).toEqual([])
    // A sweep does not take up what the cleanup left.
    expect(leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s']).code).toBe(0)
    expect(witness.harm()).toEqual([])
  })

  describe('for another agent, of another workspace', () => {
    const placeB = () => path.join(rig.folder, 'b')
    const refB = () => ({ workspace: path.join(placeB(), '.agent-workspace'), taskId: 'T', agentId: 'b-1' })
    const mark = () => `LEAKRIG_AGENT=${agentMarker(refB())}`
    /** Registers the other agent, with the place that the agent has started it in. */
    const register = async () => {
      await initRegistries(refB().workspace)
      await addTask(refB().workspace, { task_id: 'T' })
      const tmux = recordOf(
        rig.tmux('-S', socket(), 'display-message', '-p', '-t', '=agent_b-1:', RECORD_FORMAT),
      )
      const started_at = new Date().toISOString()
      await addAgent(refB(), {
        status: 'running',
        tmux_session: 'agent_b-1',
        started_at,
        tmux,
        deployed_on: thisWorld(),
      })
      return [serverPid(), tmux.pane_pid, await rig.pid('below')]
    }
    const tmux = () => `tmux -f /dev/null -S ${socket()}`
    const runs = 'sleep 1000 & echo $! >below.pid; wait'
    const bySession = () => `${tmux()} new-session -d -s agent_b-1 -e ${mark()} ${quote(runs)}`
    const byCommand = () =>
      `${tmux()} new-session -d -s agent_b-1 ${quote(`env ${mark()} bash -c ${quote(runs)}; exit`)}`

    test.each<[string, () => string, Partial<Deployment>]>([
      ['with a marker of its own', bySession, {}],
      ['with a marker of its own, when the agent was contained', bySession, { contained: true }],
      ['with a marker below its pane only', byCommand, {}],
      ['with a marker below its pane only, when the agent was contained', byCommand, { contained: true }],
      ['with a marker of its own, when only a name is on record', bySession, { recorded: false }],
    ])('it stays, with that one’s pane: %s', async (_, begin, how) => {
      const ref = await rig.deploy('a', { claude: `${begin()}\n${idle}`, ...how })
      const living = await register()
      const shown = leakrig(['explain', 'a', rig.workspace]).out
      expect(shown).toMatch(
        /left running: it holds the session agent_b-1 \(\$0, in which another agent lives/,
      )
      const report = await cleanUp(ref, completed)
      expect(report).toMatchObject({ outcome: 'clean' })
      expect(report.notes).toContainEqual(
        expect.stringContaining(`server ${living[0]}, which the agent started`),
      )
      const sweep = (workspace: string) =>
        leakrig(['sweep', workspace, '--apply', '--orphans', '--min-age', '0s', '--grace', '1s'])
      sweep(rig.workspace)
      sweep(refB().workspace)
      expect(living.filter(pid => !isRunning(pid))).toEqual([])
      expect(await leftovers()).toEqual([])
      // Its own cleanup still ends it.
      expect(await cleanUp(refB(), completed)).toMatchObject({ outcome: 'clean' })
      expect(living.slice(1).filter(isRunning)).toEqual([])
    })

    test('the agent’s own panes on it end', async () => {
      const swarm = `${tmux()} ${nested}\n${bySession()} \\; split-window -d -t swarm: -e ${mark()} "echo \\$\\$ >split.pid; exec sleep 1000"`
      const ref = await rig.deploy('a', { claude: `${swarm}\n${idle}` })
      const living = [...(await register()), await rig.pid('split')]
      const own = await rig.pid('swarm')
      expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
      expect(isRunning(own)).toBe(false)
      expect(living.filter(pid => !isRunning(pid))).toEqual([])
    })

    test('it ends when only the agent’s own servers are on its panes', async () => {
      const other = path.join(rig.folder, 'other')
      const inner = `tmux -f /dev/null -S ${other} new-session -d -s agent_b-1 -e ${mark()} ${quote(runs)}`
      const ref = await rig.deploy('a', {
        claude: `${tmux()} new-session -d -s outer ${quote(`echo $$ >outer.pid; ${inner}; exec sleep 1000`)}\n${idle}`,
      })
      const [outer, below, server] = [await rig.pid('outer'), await rig.pid('below'), serverPid()]
      await initRegistries(refB().workspace)
      await addTask(refB().workspace, { task_id: 'T' })
      await addAgent(refB(), { status: 'running', tmux_session: 'agent_b-1' })
      expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
      expect([outer, server].filter(isRunning)).toEqual([])
      expect(isRunning(below)).toBe(true)
    })

    test('it is spared in each scan, also if nobody has asked it', async () => {
      const ref = await rig.deploy('a', { claude: `${byCommand()}\n${idle}` })
      const [server = 0, pane = 0, below = 0] = await register()
      const observation = await observe(ref, readTaskRegistry(ref.workspace, ref.taskId))
      const { claimed, spared } = claim({ ...observation, sharedServers: [] })
      expect([server, pane, below].filter(pid => claimed.has(pid))).toEqual([])
      const why = (pid: number) => spared.find(({ process }) => process.pid === pid)?.sparedFor
      expect([server, pane].map(why)).toEqual(['agents-home', 'agents-home'])
    })
  })

  test('stays for a client that looks at the agent’s session', async () => {
    const ref = await deploy()
    const [swarm, client] = [await rig.pid('swarm'), await attachTo(rig, socket(), 'swarm')]
    const report = await cleanUp(ref, completed)
    expect(report.notes).toContainEqual(expect.stringContaining(`attached: client ${client}`))
    expect(isRunning(swarm)).toBe(true)
    expect(isRunning(client)).toBe(true)
  })

  test('stays for a pane that was born in the user’s session and moved into the agent’s', async () => {
    const ref = await deploy()
    const swarm = await rig.pid('swarm')
    open('-s', 'mine')
    await witness.pid()
    rig.tmux('-S', socket(), 'join-pane', '-d', '-s', '=mine:0.0', '-t', '=swarm:0.0')
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    expect(isRunning(swarm)).toBe(false)
    expect(witness.harm()).toEqual([])
  })

  test.each<[string, string, Partial<Deployment>]>([
    ['', '', {}],
    [' and without TMUX', 'TMUX= ', {}],
    [', when the agent was contained', '', { contained: true }],
    [' and without TMUX, when the agent was contained', 'TMUX= ', { contained: true }],
  ])('stays with a server that the user started from a session on it%s', async (_, variables, deployment) => {
    const ref = await deploy('', deployment)
    const swarm = await rig.pid('swarm')
    rig.tmux('-S', socket(), 'new-session', '-d', '-s', 'mine', startsSecond(variables))
    const [pane, server] = [await witness.pid(), secondServer()]
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'clean' })
    expect(isRunning(swarm)).toBe(false)
    // Without TMUX, nothing shows from which pane it was started: it may be the agent's.
    const suspects = report.suspects.map(({ pid }) => pid)
    expect([server, pane].filter(pid => suspects.includes(pid))).toEqual(
      variables === '' ? [] : [server, pane],
    )
    expect(leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s']).code).toBe(0)
    expect(witness.harm()).toEqual([])
    expect(isRunning(server)).toBe(true)
  })

  const detached = (variables: string) => `${variables} setsid -f ${witness.shellCommand}`
  const opensAndCloses = async (variables: string) => {
    rig.tmux('-S', socket(), 'new-session', '-d', '-s', 'mine', `${detached(variables)}; sleep 0.2`)
    await until('its session has closed', () => !sessions().includes('mine'))
  }
  const staysOpen = (variables: string) => {
    rig.tmux('-S', socket(), 'new-session', '-d', '-s', 'mine', `${detached(variables)}; exec sleep 1000`)
  }
  const sessions = () => rig.tmux('-S', socket(), 'list-sessions', '-F', '#{session_name}').split('\n')
  test.each<[string, (variables: string) => unknown, string, Partial<Deployment>]>([
    ['which has closed', opensAndCloses, '', {}],
    ['which has closed, and the agent was contained', opensAndCloses, '', { contained: true }],
    ['which has closed, without TMUX', opensAndCloses, 'env -u TMUX -u TMUX_PANE', {}],
    ['without TMUX', staysOpen, 'env -u TMUX -u TMUX_PANE', {}],
    ['with no environment, and the agent was contained', staysOpen, 'env -i', { contained: true }],
  ])(
    'a daemon from a session of the user’s on it is named and left: %s',
    async (_, begin, variables, how) => {
      const ref = await deploy('', how)
      const swarm = await rig.pid('swarm')
      await begin(variables)
      const pid = await witness.pid()
      const report = await cleanUp(ref, completed)
      expect(report).toMatchObject({ outcome: 'clean' })
      expect(isRunning(swarm)).toBe(false)
      expect(report.suspects.map(one => one.pid)).toContain(pid)
      leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s'])
      expect(witness.harm()).toEqual([])
      // The view of all that is left agrees with that of the cleanup.
      expect(await leftovers()).toEqual([])
    },
  )

  test.each([{}, { contained: true }])(
    'ends with the agent’s daemons, if nobody else ever had a session on it',
    async how => {
      const ref = await deploy(`\nenv -u TMUX -u TMUX_PANE setsid -f ${witness.shellCommand}`, how)
      const pid = await witness.pid()
      expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
      expect(isRunning(pid)).toBe(false)
    },
  )

  test('ends although it was stopped and cannot be asked', async () => {
    const ref = await deploy()
    const [swarm, server] = [await rig.pid('swarm'), serverPid()]
    process.kill(server, 'SIGSTOP')
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    expect([swarm, server].filter(isRunning)).toEqual([])
  })
})

describe('in the agent’s own session, only the agent’s panes end', () => {
  const open = async () => {
    rig.tmux('new-session', '-d', '-s', 'mine', '--', ...witness.command)
    rig.tmux('new-window', '-d', '-t', '=mine:', 'sleep 1000')
    await witness.pid()
  }

  test.each<[string, string[]]>([
    ['join-pane', ['join-pane', '-d', '-s', '=mine:0.0', '-t', '=agent_a:0.0']],
    ['move-window', ['move-window', '-d', '-s', '=mine:0', '-t', '=agent_a:7']],
    ['swap-pane', ['swap-pane', '-d', '-s', '=mine:0.0', '-t', '=agent_a:0.0']],
  ])('a pane of the user’s came by %s', async (_, words) => {
    const ref = await rig.deploy('a', { claude: idle })
    await open()
    rig.tmux(...words)
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    expect(witness.harm()).toEqual([])
    expect(rig.processesOf(ref)).toEqual([])
    expect(rig.sessions()).toContain('mine')
  })

  test('a window that the user linked into it, and then closed at home', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    await open()
    rig.tmux('link-window', '-s', '=mine:0', '-t', '=agent_a:7')
    rig.tmux('unlink-window', '-t', '=mine:0')
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'clean', session: 'left-alone' })
    expect(report.notes).toContainEqual(expect.stringMatching(/session agent_a .* others live in it/))
    expect(witness.harm()).toEqual([])
    expect(rig.processesOf(ref)).toEqual([])
  })

  test('a pane that the user moved into it, and started again there', async () => {
    rig.tmux('new-window', '-d', '-t', '=user:', 'sleep 1000')
    const ref = await rig.deploy('a', { claude: idle })
    const pane = rig.tmux('list-panes', '-t', '=user:1', '-F', '#{pane_id}')
    rig.tmux('join-pane', '-d', '-s', pane, '-t', '=agent_a:')
    rig.tmux('respawn-pane', '-k', '-t', pane, '--', ...witness.command)
    await witness.pid()
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'clean', session: 'left-alone' })
    expect(report.notes).toContainEqual(expect.stringContaining(`its pane ${pane} `))
    leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s', '--grace', '1s'])
    expect(witness.harm()).toEqual([])
    expect(rig.processesOf(ref).length).toBe(1)
  })

  test('a pane that was split through it in a window of the user’s', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    rig.tmux('new-window', '-d', '-t', '=user:5', 'sleep 1000')
    rig.tmux('link-window', '-d', '-s', '=user:5', '-t', '=agent_a:9')
    rig.tmux('split-window', '-d', '-t', '=agent_a:9', '--', ...witness.command)
    await witness.pid()
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', session: 'left-alone' })
    leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s', '--grace', '1s'])
    expect(witness.harm()).toEqual([])
  })

  test('and so do those in its own window, which a session of the user’s shows too', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    rig.tmux('new-window', '-d', '-t', '=agent_a:5', '--', ...witness.command)
    const pid = await witness.pid()
    rig.tmux('link-window', '-d', '-s', '=agent_a:5', '-t', '=user:9')
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    expect(isRunning(pid)).toBe(false)
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test.each(['the agent’s session', 'a session on a server that the agent started'])(
    'a window that a user opened by hand in %s before leaving it',
    async where => {
      const isOwn = where.startsWith('the')
      const socket = isOwn ? rig.socket : path.join(rig.folder, 'nested')
      const swarm = `tmux -f /dev/null -S ${socket} new-session -d -s swarm 'exec sleep 1000'\n`
      const ref = await rig.deploy('a', { claude: isOwn ? idle : `${swarm}${idle}` })
      const session = isOwn ? 'agent_a' : 'swarm'
      fs.writeFileSync(path.join(rig.folder, 'hand.sh'), `exec ${witness.shellCommand}`)
      const words = `tmux -S ${socket} attach-session -t =${session}:`
      const env = { ...process.env, TERM: 'xterm' }
      const client = spawn('script', ['-qc', words, '/dev/null'], {
        stdio: ['pipe', 'ignore', 'ignore'],
        env,
      })
      const ask = (...ask: string[]) => rig.tmux('-S', socket, ...ask)
      await until('it is attached', () => ask('list-clients') !== '')
      ask('set-option', '-g', 'default-command', `sh ${rig.folder}/hand.sh`)
      client.stdin.write('\u0002c')
      await witness.pid()
      client.stdin.write('\u0002d')
      await until('the user has left', () => ask('list-clients') === '')
      const report = await cleanUp(ref, completed)
      expect(report.notes).toContainEqual(expect.stringMatching(/is left/))
      expect(witness.harm()).toEqual([])
      const panes = ask('list-panes', '-s', '-t', `=${session}:`, '-F', '#{pane_id}')
      expect(panes.split('\n')).toHaveLength(1)
    },
  )

  test.each<[string, string, Partial<Deployment>]>([
    ['the agent’s session', 'leaves', {}],
    ['the agent’s session', 'leaves', { contained: true }],
    ['the agent’s session', 'leaves', { recorded: false }],
    ['the agent’s session', 'stays attached', {}],
    ['a session on a server that the agent started', 'leaves', {}],
    ['a session on a server that the agent started', 'stays attached', {}],
  ])(
    'a daemon from a window that a user opened by hand in %s and closed, who %s (%j); the agent’s own ends',
    async (where, then, how) => {
      const isOwn = where.startsWith('the')
      const socket = isOwn ? rig.socket : path.join(rig.folder, 'nested')
      const swarm = `tmux -f /dev/null -S ${socket} new-session -d -s swarm 'exec sleep 1000'\n`
      const ref = await rig.deploy('a', { claude: isOwn ? idle : `${swarm}${idle}`, ...how })
      const session = isOwn ? 'agent_a' : 'swarm'
      const ask = (...ask: string[]) => rig.tmux('-S', socket, ...ask)
      await until('the session is there', () => ask('list-sessions').includes(session))
      const ownDaemon = `setsid -f sh -c 'echo $$ >${rig.folder}/own.pid; exec sleep 1000'`
      ask(
        'new-window',
        '-d',
        '-t',
        `=${session}:`,
        `${ownDaemon}; until [ -s ${rig.folder}/own.pid ]; do :; done`,
      )
      const own = await rig.pid('own')
      const second = Math.ceil(Date.now() / 1_000) * 1_000
      await until('what is there is older than the client', () => Date.now() > second)
      fs.writeFileSync(path.join(rig.folder, 'hand.sh'), `setsid -f ${witness.shellCommand}\nread line`)
      const words = `tmux -S ${socket} attach-session -t =${session}:`
      const env = { ...process.env, TERM: 'xterm' }
      const client = spawn('script', ['-qc', words, '/dev/null'], {
        stdio: ['pipe', 'ignore', 'ignore'],
        env,
      })
      await until('it is attached', () => ask('list-clients') !== '')
      ask('set-option', '-g', 'default-command', `sh ${rig.folder}/hand.sh`)
      client.stdin.write('\u0002c')
      const pid = await witness.pid()
      client.stdin.write('\n')
      await until(
        'the window is closed',
        () => ask('list-windows', '-t', `=${session}:`).split('\n').length === 1,
      )
      if (then === 'leaves') {
        client.stdin.write('\u0002d')
        await until('the user has left', () => ask('list-clients') === '')
      }
      const report = await cleanUp(ref, completed)
      expect(report).toMatchObject({ outcome: 'clean' })
      expect(witness.harm()).toEqual([])
      // While the user is attached to it, a server that the agent started is left with all of its sessions.
      const isLeft = !isOwn && then !== 'leaves'
      // The machine has suspects of other tests, too.
      const isNamed = report.suspects.some(one => one.pid === pid)
      expect([isNamed, isRunning(own)]).toEqual([!isLeft, isLeft])
      leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s', '--grace', '1s'])
      expect(witness.harm()).toEqual([])
      if (!isLeft) expect(await leftovers()).toEqual([])
    },
  )

  test('a pane that a user split by hand while attached', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    await attach(rig, 'agent_a')
    rig.tmux('split-window', '-d', '-t', '=agent_a:', '--', ...witness.command)
    await witness.pid()
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', session: 'left-alone' })
    expect(witness.harm()).toEqual([])
    expect(rig.sessions()).toContain('agent_a')
  })

  test.each([
    ['', ''],
    [' without TMUX', 'TMUX= '],
  ])('a server that the user started%s from a pane split by hand', async (_, variables) => {
    const ref = await rig.deploy('a', { claude: idle })
    await attach(rig, 'agent_a')
    rig.tmux('split-window', '-d', '-t', '=agent_a:', startsSecond(variables))
    const [pane, server] = [await witness.pid(), secondServer()]
    const { outcome, suspects } = await cleanUp(ref, completed)
    expect(outcome).toBe('clean')
    const named = suspects.map(({ pid }) => pid)
    expect([server, pane].filter(pid => named.includes(pid))).toEqual(variables === '' ? [] : [server, pane])
    leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s', '--grace', '1s'])
    expect(witness.harm()).toEqual([])
    expect(isRunning(server)).toBe(true)
  })

  test('a pane that a user split by hand, and that a session of the user’s shows too', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    await attach(rig, 'agent_a')
    rig.tmux('split-window', '-d', '-t', '=agent_a:', '--', ...witness.command)
    await witness.pid()
    rig.tmux('new-session', '-d', '-s', 'mine', '-t', '=agent_a')
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s', '--grace', '1s'])
    expect(witness.harm()).toEqual([])
    expect(rig.sessions()).toContain('mine')
  })

  test('a pane that a user split by hand in a renamed session, whose windows the user’s session shows too', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    rig.tmux('new-session', '-d', '-t', '=agent_a')
    // A window of that session was not born in the agent’s.
    const group = rig.sessions().find(name => name.startsWith('agent_a-'))
    rig.tmux('new-window', '-d', '-t', `=${group}:`, 'sleep 1000')
    rig.tmux('rename-session', '-t', '=agent_a', 'renamed')
    await attach(rig, 'renamed')
    rig.tmux('split-window', '-d', '-t', '=renamed:', '--', ...witness.command)
    await witness.pid()
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', session: 'left-alone' })
    expect(witness.harm()).toEqual([])
  })

  test('a pane that a user split by hand at once, where only the session’s name is on record', async () => {
    const ref = await rig.deploy('a', { claude: idle, recorded: false })
    await attach(rig, 'agent_a')
    rig.tmux('split-window', '-d', '-t', '=agent_a:', '--', ...witness.command)
    await witness.pid()
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', session: 'left-alone' })
    leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s', '--grace', '1s'])
    expect(witness.harm()).toEqual([])
    expect(rig.sessions()).toContain('agent_a')
  })

  test('a user who only looks keeps nothing of it', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    rig.tmux('split-window', '-d', '-t', '=agent_a:', 'sleep 1000')
    await until('the pane is older than the client', () => Date.now() % 1_000 > 900)
    await until('the next second', () => Date.now() % 1_000 < 500)
    await attach(rig, 'agent_a')
    await cleanUp(ref, completed)
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})

test('where only the name of a renamed session is on record, what runs in its pane is named', async () => {
  const ref = await rig.deploy('a', { claude: `echo $$ >claude.pid; ${idle}`, recorded: false })
  rig.tmux('rename-session', '-t', '=agent_a:', 'renamed')
  const { suspects } = await cleanUp(ref, completed)
  expect(suspects.map(({ pid }) => pid)).toContain(await rig.pid('claude'))
})
