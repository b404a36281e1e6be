import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cleanUp } from '../../index.ts'
import { agentMarker, findProgram } from '../../orchestrator.ts'
import { isAlive, readTable, type SeenProcess, startOf } from '../../platform/processes/table.ts'
import { quote } from '../../platform/shell.ts'
import { serversFoundIn } from '../../tmux/found-servers.ts'
import { isTmuxServer } from '../../tmux/is-server.ts'
import { attachTo } from '../support/attach.ts'
import { leakrig } from '../support/cli.ts'
import { isRunning, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'
import { Witness } from '../support/witness.ts'

/* A tmux server's name is that of the program that started it, so what it does shows that it is one. */

const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }
const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
let witness: Witness
beforeEach(async () => {
  rig = await Rig.start()
  witness = new Witness(rig, 'user')
})
afterEach(() => rig[Symbol.asyncDispose]())

const socket = () => path.join(rig.folder, 'other')
const serverPid = () => Number(rig.tmux('-S', socket(), 'display-message', '-p', '#{pid}'))

/** tmux under another name, with the socket of its server. */
function tmuxAs(name: string): string {
  const program = path.join(rig.folder, name)
  fs.copyFileSync(findProgram('tmux') ?? '', program)
  return `${program} -f /dev/null -S ${socket()}`
}

/** Starts the user's server, and waits until its pane runs its own program: before that, it has the server's environment. */
async function startServer(name: string): Promise<void> {
  const command = `echo $$ >pane.pid; exec sleep 1000`
  rig.start('bash', ['-c', `cd ${rig.folder}; ${tmuxAs(name)} new-session -d -s work ${quote(command)}`])
  await rig.pid('pane')
}

const NAMES = ['tmux-3.4', '.tmux-wrapped', 'byobu', 'a-long-name-of-a-program']

describe.each(NAMES)('a tmux server of the program %s', name => {
  const sweep = () => leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s'])

  test('which the agent started stays with the user’s session on it', async () => {
    const start = `new-session -d -s swarm "echo \\$\\$ >swarm.pid; exec sleep 1000"`
    const ref = await rig.deploy('a', { claude: `${tmuxAs(name)} ${start}\n${idle}` })
    const [swarm, server] = [await rig.pid('swarm'), serverPid()]
    rig.tmux('-S', socket(), 'new-session', '-d', '-s', 'mine', '--', ...witness.command)
    await witness.pid()
    const client = await attachTo(rig, socket(), 'mine')
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'clean' })
    expect(report.notes).toContainEqual(
      expect.stringMatching(new RegExp(`server ${server}, .* it holds the session mine .*client ${client}`)),
    )
    expect(isRunning(swarm)).toBe(false)
    sweep()
    expect(witness.harm()).toEqual([])
    expect([server, client].every(isRunning)).toBe(true)
  })

  test('which the agent started ends if nobody else uses it', async () => {
    const ref = await rig.deploy('a', { claude: `${tmuxAs(name)} new-session -d sleep 1000\n${idle}` })
    const server = serverPid()
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', notes: [] })
    expect(isRunning(server)).toBe(false)
  })

  test('on which another agent was deployed stays', async () => {
    const ref = await rig.deploy('a', { claude: `${tmuxAs(name)} new-session -d sleep 1000\n${idle}` })
    const other = await rig.deploy('b', { claude: idle, socket: socket() })
    const server = serverPid()
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
    expect(isRunning(server)).toBe(true)
    expect(rig.processesOf(other).length).toBeGreaterThan(0)
  })

  test('of the user’s into which somebody put the marker: what runs there is the user’s', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    await startServer(name)
    rig.tmux('-S', socket(), 'set-environment', '-g', 'LEAKRIG_AGENT', agentMarker(ref))
    rig.tmux('-S', socket(), 'new-session', '-d', `setsid -f ${witness.shellCommand}; exec sleep 1000`)
    const pid = await witness.pid()
    const { outcome, suspects } = await cleanUp(ref, completed)
    expect(outcome).toBe('clean')
    expect(witness.harm()).toEqual([])
    expect(suspects.map(one => one.pid)).toContain(pid)
  })

  test('is found by its process', async () => {
    await startServer(name)
    const server = serverPid()
    const found = await serversFoundIn(await readTable(), new Set([server]))
    expect(found).toMatchObject([{ process: { pid: server }, answer: { sessions: [{ name: 'work' }] } }])
  })
})

describe('not every process that looks like a tmux server is one', () => {
  async function isServer(pid: number): Promise<boolean> {
    const table = await readTable()
    return isTmuxServer(table.get(pid) as SeenProcess, table)
  }
  /** Starts a process that listens on a socket, and has a child with this TMUX, in which PID stands for its pid. */
  async function listener(tmux: string): Promise<number> {
    const script = `
      const { spawn } = require('node:child_process')
      require('node:net').createServer().listen(${JSON.stringify(socket())}, () => {
        const TMUX = ${JSON.stringify(tmux)}.replace('PID', process.pid)
        spawn('sleep', ['1000'], { env: { ...process.env, TMUX, TMUX_PANE: '%0' }, stdio: 'ignore' })
        require('node:fs').writeFileSync(${JSON.stringify(path.join(rig.folder, 'listener.pid'))}, String(process.pid))
      })`
    rig.start(process.execPath, ['-e', script])
    return rig.pid('listener')
  }

  test('a client', async () => {
    await startServer('byobu')
    const client = await attachTo(rig, socket(), 'work')
    expect(await isServer(client)).toBe(false)
    expect(await isServer(serverPid())).toBe(true)
  })

  test.each<[string, string, boolean]>([
    ['that names another server', '/tmp/tmux-0/default,4242,0', false],
    ['that names a socket on which it does not listen', '/tmp/tmux-0/default,PID,0', false],
    ['that names it and its socket, as a server does', 'SOCKET,PID,0', true],
  ])('what has a child %s', async (_, tmux, expected) => {
    expect(await isServer(await listener(tmux.replace('SOCKET', socket())))).toBe(expected)
  })

  test('what a process names in TMUX without being its child', async () => {
    const server = net.createServer().listen(socket())
    rig.start('setsid', ['-f', 'sleep', '1000'], { TMUX: `${socket()},${process.pid},0` })
    await until('it is an orphan', async () =>
      [...(await readTable()).values()].some(
        ({ environment, ppid }) => environment.tmux?.startsWith(socket()) && ppid !== process.pid,
      ),
    )
    expect(await isServer(process.pid)).toBe(false)
    server.close()
    expect(isAlive({ pid: process.pid, start: startOf(process.pid) ?? 0 })).toBe(true)
  })

  test('what calls itself tmux and listens nowhere', async () => {
    const program = new Witness(rig, 'named', 'tmux-3.4')
    rig.start('bash', ['-c', `exec ${program.command.map(quote).join(' ')}`])
    expect(await isServer(await program.pid())).toBe(false)
  })
})
