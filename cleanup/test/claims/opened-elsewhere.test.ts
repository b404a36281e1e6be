import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentRef, type CleanUpReport, cleanUp, type Sweep } from '../../index.ts'
import { addAgent } from '../../orchestrator.ts'
import { attachTo } from '../support/attach.ts'
import { leakrig, leakrigJson } from '../support/cli.ts'
import { isRunning, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const noting = (name = 'lost') => `echo $$ >${rig.folder}/${name}.pid; exec sleep 1000`

/**
 * For an agent's script: waits until what it starts is younger by the kernel's clock, which ticks in hundredths of a second.
 * Of two panes whose processes are of one tick, the one with the lower number is taken for the older one.
 */
const tick = "cut -d' ' -f22 /proc/self/stat"
const nextTick = `first=$(${tick}); until [ $(${tick}) -gt $first ]; do :; done`

/** Deploys an agent in the rig's folder that runs this, and returns once that has written `lost.pid`. */
async function deployWith(script: string): Promise<{ ref: AgentRef; pid: number }> {
  const wait = `until [ -s ${rig.folder}/lost.pid ]; do sleep 0.01; done`
  const ref = await rig.deploy('a', { claude: `${script}\n${wait}; echo ready; sleep 1000 & wait` })
  return { ref, pid: await rig.pid('lost') }
}

const named = ({ suspects }: CleanUpReport, pid: number) => suspects.find(one => one.pid === pid)

describe('what the agent has a tmux server start for another session is named, and left:', () => {
  test.each<[what: string, command: string, why: RegExp]>([
    ['run-shell', `tmux run-shell -b -t =user: 'trap "" HUP TERM; NOTING; :'`, /as run-shell does \(TMUX=/],
    ['if-shell', `tmux if-shell -b -t =user: 'NOTING' ''`, /as run-shell does/],
    ['a daemon of run-shell', `tmux run-shell -b -t =user: '(setsid sh -c "NOTING" &)'`, /as run-shell does/],
    ['pipe-pane', `tmux pipe-pane -t =user: 'trap "" HUP; NOTING'`, /as pipe-pane does/],
    ['new-window', `tmux new-window -d -t =user: 'NOTING'`, /kill-pane -t '%2'" ends it$/],
    ['new-window, in front', `tmux new-window -t =user: 'NOTING'`, /kill-pane -t '%2'" ends it$/],
    ['split-window', `tmux split-window -d -t =user: 'NOTING'`, /kill-pane -t '%2'" ends it$/],
    [
      'respawn-pane',
      `${nextTick}; tmux respawn-pane -k -t =user: 'NOTING'`,
      /started pane %0 of the session user .* again/,
    ],
    [
      'a session',
      `tmux new-session -d -s work 'NOTING'`,
      /^tmux opened the session work \(\$2\) in the agent’s folder .* while the agent lived, and nobody has looked at it since; "tmux -S .* kill-session -t '\$2'" ends it$/,
    ],
    [
      'a session with a shell',
      `tmux new-session -d -s work sh; tmux send-keys -t work 'NOTING' Enter`,
      /opened the session work/,
    ],
  ])('%s', async (_, command, why) => {
    const script = command
      .replaceAll('NOTING', () => noting())
      .replaceAll('$$', () => (command.includes('"NOTING') ? '\\$\\$' : '$$'))
    const { ref, pid } = await deployWith(script)
    const { out: explained } = leakrig(['explain', 'a', rig.workspace])
    const report = await cleanUp(ref, completed)
    expect(report.outcome).toBe('clean')
    expect(named(report, pid)?.resemblances).toContainEqual(expect.stringMatching(why))
    expect(isRunning(pid)).toBe(true)
    expect(explained).toContain(`${pid}`)
    const [{ suspects } = { suspects: [] }] = leakrigJson<{ sweeps: Sweep[] }>([
      'sweep',
      rig.workspace,
    ]).sweeps
    expect(suspects).toContainEqual(expect.objectContaining({ pid }))
  })

  test('a session on another server of the user’s', async () => {
    const work = `${rig.socket}-work`
    rig.tmux('-S', work, '-f', '/dev/null', 'new-session', '-d', '-s', 'keep', 'sleep 1000')
    const { ref, pid } = await deployWith(`tmux -S ${work} new-session -d -s mine '${noting()}'`)
    const report = await cleanUp(ref, completed)
    expect(named(report, pid)?.resemblances.join()).toContain(
      `"tmux -S ${work} kill-session -t '$1'" ends it`,
    )
  })

  test('a window beside the one that a user looks at, of an agent that has ended by itself', async () => {
    await attachTo(rig, rig.socket, 'user')
    const ref = await rig.deploy('a', { claude: `tmux new-window -d -t =user: '${noting()}'; echo ready` })
    await until('it has ended', () => !rig.sessions().includes('agent_a'))
    const pid = await rig.pid('lost')
    expect(named(await cleanUp(ref, completed), pid)?.resemblances.join()).toMatch(/kill-pane -t '%2'/)
  })
})

describe('what a user starts while the agent lives is not named:', () => {
  const deploy = () => rig.deploy('a', { claude: 'echo ready; sleep 1000 & wait' })
  const here = () => ['-c', rig.folder]

  test('a session that is attached', async () => {
    const ref = await deploy()
    rig.tmux('new-session', '-d', '-s', 'mine', ...here(), noting())
    const pid = await rig.pid('lost')
    await attachTo(rig, rig.socket, 'mine')
    expect(named(await cleanUp(ref, completed), pid)).toBeUndefined()
  })

  test('a session that was looked at, a window and a pane that were in front', async () => {
    const ref = await deploy()
    rig.tmux('new-session', '-d', '-s', 'mine', ...here(), noting('first'))
    await attachTo(rig, rig.socket, 'mine')
    rig.tmux('new-window', '-t', 'mine', ...here(), noting('second'))
    rig.tmux('split-window', '-t', 'mine', ...here(), noting('third'))
    rig.tmux('last-pane', '-t', 'mine')
    rig.tmux('last-window', '-t', 'mine')
    const pids = await Promise.all(['first', 'second', 'third'].map(name => rig.pid(name)))
    // Whoever opens them by hand presses a key, which a command does not. To attach counts as one.
    const client = await attachTo(rig, rig.socket, 'mine')
    rig.tmux('detach-client', '-s', 'mine')
    await until('it is detached', () => !isRunning(client))
    const report = await cleanUp(ref, completed)
    expect(pids.map(pid => named(report, pid))).toEqual([undefined, undefined, undefined])
  })

  test('a session in another folder, and one that is older than the agent', async () => {
    rig.tmux('new-session', '-d', '-s', 'before', ...here(), noting('before'))
    const before = await rig.pid('before')
    const ref = await deploy()
    rig.tmux('new-session', '-d', '-s', 'elsewhere', '-c', '/', noting('elsewhere'))
    const elsewhere = await rig.pid('elsewhere')
    const report = await cleanUp(ref, completed)
    expect([before, elsewhere].map(pid => named(report, pid))).toEqual([undefined, undefined])
  })

  test('a job in another folder', async () => {
    const ref = await deploy()
    rig.tmux('run-shell', '-b', '-t', '=user:', noting())
    const pid = await rig.pid('lost')
    expect(named(await cleanUp(ref, completed), pid)).toBeUndefined()
  })

  test('other agents: one that is listed, with a session of another name, and one that is not', async () => {
    const ref = await deploy()
    for (const name of ['work', 'agent_c']) rig.tmux('new-session', '-d', '-s', name, ...here(), noting(name))
    await addAgent(rig.ref('b'), { status: 'running', tmux_session: 'work' })
    const pids = await Promise.all(['work', 'agent_c'].map(name => rig.pid(name)))
    const report = await cleanUp(ref, completed)
    expect(pids.map(pid => named(report, pid))).toEqual([undefined, undefined])
  })
})
