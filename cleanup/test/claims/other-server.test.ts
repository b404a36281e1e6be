import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import fc from '../../../test/fast-check.ts'
import { needs } from '../../../test/needs.ts'
import { type Candidate, chooseServer } from '../../claims/choose-server.ts'
import { logWriters } from '../../claims/log-writers.ts'
import { type AgentRef, cleanUp, type Measurement } from '../../index.ts'
import { newQuietPeriod } from '../../liveness/abandoned-pane.ts'
import { detectEnd } from '../../liveness/detect-end.ts'
import { addAgent, layout, updateAgent } from '../../orchestrator.ts'
import { childrenOf } from '../../platform/processes/children.ts'
import { readMachine, readTable } from '../../platform/processes/table.ts'
import { changeTask } from '../../registry/registry.ts'
import { serversFoundIn } from '../../tmux/found-servers.ts'
import { leakrig } from '../support/cli.ts'
import { Daemon } from '../support/daemon.ts'
import { canMount, MountNamespace } from '../support/mount-namespace.ts'
import { type Deployment, isRunning, kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

/*
 * The report's system records no place in tmux, and the safety net is started without its TMUX_TMPDIR: the rig's server is
 * found by its process.
 */

const idle = 'echo $$ > claude.pid; echo ready; sleep 1000 & wait'

let rig: Rig
let elsewhere: NodeJS.ProcessEnv
const id = 'a'
beforeEach(async () => {
  rig = await Rig.start()
  elsewhere = { TMUX_TMPDIR: path.join(rig.folder, 'elsewhere') }
  fs.mkdirSync(path.join(rig.folder, 'elsewhere'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rig[Symbol.asyncDispose]()
})

const deploy = (deployment: Partial<Deployment> = {}, name = id): Promise<AgentRef> =>
  rig.deploy(name, { claude: idle, recorded: false, marker: false, ...deployment })
/** Deploys an agent that ends, and leaves its pane to something that writes no log. */
async function deployLeft(): Promise<AgentRef> {
  const ref = await deploy({ claude: 'echo ready', after: 'sleep 1000' })
  const writers = async () => logWriters((await readMachine()).openFiles, layout.streamLog(ref))
  await until('its log is closed', async () => (await writers()).length === 0)
  return ref
}

const run = (...args: string[]) => leakrig(args, '/', elsewhere)
const sweep = (...args: string[]) => run('sweep', rig.workspace, '--apply', '--grace', '1s', ...args)
const withStatus = (ref: AgentRef, status: string) =>
  updateAgent(ref, entry => Object.assign(entry, { status }))

/** Starts another tmux server with one session, and returns its socket. */
function startServer(
  session: string,
  socket = path.join(rig.folder, 'other'),
  before: string[] = [],
): string {
  const words = ['tmux', '-f', '/dev/null', '-S', socket, 'new-session', '-d', '-s', session, 'sleep 1000']
  const [command = '', ...args] = [...before, ...words]
  fs.mkdirSync(path.dirname(socket), { recursive: true, mode: 0o700 })
  expect(spawnSync(command, args, { stdio: 'inherit' }).status).toBe(0)
  return socket
}

const defaultElsewhere = () => path.join(elsewhere.TMUX_TMPDIR ?? '', `tmux-${process.getuid?.()}`, 'default')

const sessionsOn = (socket: string) =>
  spawnSync('tmux', ['-S', socket, 'list-sessions', '-F', '#{session_name}'], { encoding: 'utf8' })
    .stdout.trim()
    .split('\n')

const serverOf = (socket: string) =>
  Number(spawnSync('tmux', ['-S', socket, 'display-message', '-p', '#{pid}'], { encoding: 'utf8' }).stdout)

describe('an agent of which only the name is recorded, on a server that only its process shows', () => {
  test('is shown as live, and is not swept', async () => {
    const ref = await deploy()
    const claude = await rig.pid('claude')
    const status = run('status', rig.workspace, '--json')
    expect(status.code).toBe(0)
    const { workspaces } = JSON.parse(status.out) as Measurement
    expect(workspaces[0]?.agents).toMatchObject([{ agentId: id, state: 'live', session: true, claudes: 0 }])
    expect(workspaces[0]?.agents[0]?.processes).toBeGreaterThan(2)
    expect(sweep()).toMatchObject({ code: 0 })
    expect(isRunning(claude)).toBe(true)
    expect(rig.entry(ref).status).toBe('running')
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
  })

  test('is swept once it has ended, and its neighbours stay', async () => {
    const ref = await deploy()
    const neighbour = await deploy({ claude: 'echo ready; sleep 1000 & wait' }, `${id}x`)
    const claude = await rig.pid('claude')
    await withStatus(ref, 'completed')
    expect(sweep()).toMatchObject({ code: 0, err: '' })
    expect(isRunning(claude)).toBe(false)
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    expect(rig.sessions()).toEqual([`agent_${id}x`, 'user'])
    expect(rig.entry(neighbour)).toMatchObject({ status: 'running' })
  })

  test('is cleaned up by a daemon when its session is killed', async () => {
    const ref = await deploy()
    vi.stubEnv('TMUX_TMPDIR', elsewhere.TMUX_TMPDIR)
    const daemon = await Daemon.start(rig)
    await until('the daemon has asked its server', () => daemon.clients(rig.socket).length > 0, 90_000)
    expect(rig.entry(ref).status).toBe('running')
    rig.tmux('kill-session', '-t', `=agent_${id}:`)
    await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done', 90_000)
    expect(daemon.events('ended')).toMatchObject([{ reason: `its tmux session agent_${id} is gone` }])
    expect(await daemon.stop()).toBe(0)
  })

  test('was seen at work, so its session is its own when its log is closed', async () => {
    const claude =
      'echo ready; until [ -e finish ]; do sleep 0.05; done; echo \'{"type":"result","subtype":"success"}\''
    const ref = await deploy({ claude, after: 'exec bash --norc' })
    vi.stubEnv('TMUX_TMPDIR', elsewhere.TMUX_TMPDIR)
    const quiet = newQuietPeriod()
    expect(await detectEnd(ref, rig.entry(ref), quiet)).toBeUndefined()
    fs.writeFileSync(path.join(rig.folder, 'finish'), '')
    const ending = await until('it has ended', () => detectEnd(ref, rig.entry(ref), quiet))
    expect(ending).toMatchObject({ status: 'completed' })
    await expect(detectEnd(ref, rig.entry(ref))).rejects.toThrow('--socket-path')
    const report = await cleanUp(ref, { ...ending, graceMs: 1_000, proven: quiet.proven })
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('is no reason to suspect the server that its deploy started', async () => {
    const ref = rig.ref('first')
    rig.writeFiles(ref)
    await addAgent(ref, { status: 'running', started_at: new Date(Date.now() - 1_000).toISOString() })
    const { server_pid } = rig.newSession(ref, {
      claude: idle,
      marker: false,
      socket: path.join(rig.folder, 'first'),
    })
    await rig.pid('claude')
    const { processes } = JSON.parse(run('status', rig.workspace, '--json').out) as Measurement
    // Another test's process without an environment may be there.
    expect(processes?.suspects.map(({ pid }) => pid)).not.toContain(server_pid)
    expect(processes?.ofAgents).toBeGreaterThan(2)
  })

  test('is explained, and a cleanup ends it', async () => {
    const ref = await deploy()
    const { code, out } = run('explain', id, rig.workspace)
    expect(code).toBe(0)
    expect(out).toContain(`on ${rig.socket}`)
    vi.stubEnv('TMUX_TMPDIR', elsewhere.TMUX_TMPDIR)
    const report = await cleanUp(ref, { status: 'terminated', reason: 'test', graceMs: 1_000 })
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('stays, and the reason is named, when nothing but its name shows that its session is its own', async () => {
    const ref = await deployLeft()
    await withStatus(ref, 'completed')
    const { code, out } = sweep()
    expect(code).toBe(3)
    expect(out).toContain(`add --socket-path ${rig.socket}`)
    expect(rig.sessions()).toContain(`agent_${id}`)
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
    expect(sweep('--socket-path', rig.socket)).toMatchObject({ code: 0 })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})

describe('the same session name on several servers', () => {
  test.each(['the default one', 'one that nobody named'])(
    'the one that writes the log is the agent’s, beside %s',
    async beside => {
      const ref = await deploy()
      const other = startServer(`agent_${id}`, beside === 'the default one' ? defaultElsewhere() : undefined)
      await withStatus(ref, 'completed')
      expect(sweep()).toMatchObject({ code: 0, err: '' })
      expect(traces(rig, ref)).toEqual(NO_TRACES)
      expect(sessionsOn(other)).toEqual([`agent_${id}`])
    },
  )

  test('none is ended when nothing shows which is the agent’s, and all are named', async () => {
    const ref = await deployLeft()
    const other = startServer(`agent_${id}`, defaultElsewhere())
    await withStatus(ref, 'completed')
    for (const args of [[], ['--socket-path', rig.socket]]) {
      const { code, out } = sweep(...args)
      expect(code).toBe(3)
      expect(out).toContain(rig.socket)
      expect(out).toContain(other)
    }
    expect(rig.sessions()).toContain(`agent_${id}`)
    expect(sessionsOn(other)).toEqual([`agent_${id}`])
    expect(rig.entry(ref).cleanup).toBeUndefined()
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
  })

  test('one that was there long before the agent, or came long after it began, is not the agent’s', async () => {
    const ref = await deploy({ entry: { started_at: '2026-01-01T00:00:00Z' } })
    rig.tmux('kill-session', '-t', `=agent_${id}:`)
    const other = startServer(`agent_${id}`)
    expect(sweep()).toMatchObject({ code: 0 })
    expect(rig.entry(ref)).toMatchObject({ status: 'crashed', cleanup: { state: 'done' } })
    expect(sessionsOn(other)).toEqual([`agent_${id}`])
  })
})

describe('a server that cannot be asked', () => {
  test.each(['stopped', 'without its socket'])('keeps its agent, and what helps is named: %s', async how => {
    const ref = await deploy()
    await withStatus(ref, 'completed')
    const claude = await rig.pid('claude')
    const server = serverOf(rig.socket)
    if (how === 'stopped') kill(server, 'SIGSTOP')
    else fs.unlinkSync(rig.socket)
    const { code, out } = sweep()
    expect(code).toBe(3)
    expect(out).toContain(how === 'stopped' ? `kill -CONT ${server}` : `kill -USR1 ${server}`)
    expect(isRunning(claude)).toBe(true)
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
    kill(server, how === 'stopped' ? 'SIGCONT' : 'SIGUSR1')
    await until('the server has its socket', () => fs.existsSync(rig.socket))
    expect(sweep()).toMatchObject({ code: 0 })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('does not keep an agent that is not there', async () => {
    const ref = await deploy()
    const other = serverOf(startServer('work'))
    rig.tmux('kill-session', '-t', `=agent_${id}:`)
    kill(other, 'SIGSTOP')
    expect(sweep('--min-age', '0s')).toMatchObject({ code: 0 })
    expect(rig.entry(ref)).toMatchObject({ status: 'crashed', cleanup: { state: 'done' } })
  })

  test('is not asked in a sandbox, even where its socket is seen', async () => {
    needs('permission to mount', canMount)
    using sandbox = await MountNamespace.make(rig, 'true')
    const socket = startServer('work', undefined, sandbox.nsenter)
    const table = await readTable()
    const found = (await serversFoundIn(table)).map(({ process }) => process.pid)
    expect(found).toContain(serverOf(rig.socket))
    expect(found).not.toContain(serverOf(socket))
  })
})

test('a server outside the folder LEAKRIG_SOCKET_FOLDER is not found', async () => {
  const found = async () => (await serversFoundIn(await readTable())).map(({ answer }) => answer?.path)
  expect(await found()).toEqual([rig.socket])
  vi.stubEnv('LEAKRIG_SOCKET_FOLDER', elsewhere.TMUX_TMPDIR)
  expect(await found()).toEqual([])
})

describe('sweep --orphans on a server that only its process shows', () => {
  test('ends a session that writes a log of the workspace, and leaves and names no other', async () => {
    const ref = await deploy()
    const other = rig.tmux(
      'new-session',
      '-d',
      '-P',
      '-F',
      '#{session_name}',
      '-s',
      `agent_${id}-other`,
      'sleep 1000',
    )
    await changeTask(ref.workspace, ref.taskId, registry => {
      registry.agents = []
    })
    const claude = await rig.pid('claude')
    expect(sweep('--orphans', '--min-age', '0s')).toMatchObject({ code: 0, err: '' })
    expect(isRunning(claude)).toBe(false)
    expect(rig.sessions()).toEqual([other, 'user'])
    const named = sweep('--orphans', '--min-age', '0s', '--socket-path', rig.socket)
    expect(named).toMatchObject({ code: 0 })
    expect(rig.sessions()).toEqual(['user'])
  })
})

test('sweep --orphans leaves an unlisted session whole that writes a log of another workspace', async () => {
  const logs = path.join(rig.folder, 'another', '.agent-workspace', 'TASK-1', 'logs')
  fs.mkdirSync(logs, { recursive: true })
  const pipeline = `echo $$ > ${rig.folder}/pane.pid; sleep 1000 | tee ${logs}/b_stream.jsonl; true`
  rig.tmux('new-session', '-d', '-s', 'agent_b', 'bash', '-c', pipeline)
  const pane = await rig.pid('pane')
  await until('it writes', () => fs.existsSync(`${logs}/b_stream.jsonl`))
  const before = childrenOf(pane)
  const { code, out } = leakrig(['sweep', rig.workspace, '--orphans', '--apply', '--min-age', '0s'])
  expect(code).toBe(0)
  expect(out).toMatch(/^.*, 0 unlisted\n/)
  expect(out).toMatch(/\n {2}1 session belongs to the workspace .*\/another\/.*: agent_b \(.* writes /)
  expect(out).not.toMatch(/leftover, left alone: .*agent_\*/)
  expect(rig.sessions()).toContain('agent_b')
  expect(childrenOf(pane)).toEqual(before)
})

describe('the choice among servers', () => {
  const candidate = fc.record<Candidate>({
    isTrusted: fc.boolean(),
    isNamed: fc.boolean(),
    isWriting: fc.boolean(),
    isMarked: fc.boolean(),
    isAnothers: fc.boolean(),
  })
  const candidates = fc.array(candidate, { maxLength: 5 })
  const anothers = { isTrusted: true, isNamed: true, isWriting: false, isMarked: true, isAnothers: true }

  test('does not depend on their order', () => {
    fc.assert(
      fc.property(candidates, all => {
        const [one, other] = [all, all.toReversed()].map(each => chooseServer(each))
        const inOrder = (chosen: typeof one) =>
          Array.isArray(chosen) ? chosen.map(server => JSON.stringify(server)).toSorted() : chosen
        expect(inOrder(other)).toEqual(inOrder(one))
      }),
      { examples: [[[anothers, anothers, { ...anothers, isMarked: false }]]] },
    )
  })

  test('ends nothing by a name alone that several have, or on a server that nobody named', () => {
    fc.assert(
      fc.property(candidates, all => {
        const chosen = chooseServer(all)
        if (!chosen || !('server' in chosen) || !chosen.mayEnd) return
        const { server } = chosen
        if (server.isWriting || (server.isNamed && server.isMarked)) return
        expect(server).toMatchObject({ isTrusted: true, isNamed: true })
        const others = all.filter(one => one !== server)
        expect(others.filter(({ isWriting }) => isWriting)).toEqual([])
        expect(others.filter(({ isNamed, isAnothers }) => isNamed && !isAnothers)).toEqual([])
      }),
    )
  })
})
