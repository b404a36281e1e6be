import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentRef, cleanUp } from '../../index.ts'
import { detectEnd } from '../../liveness/detect-end.ts'
import { layout, updateAgent } from '../../orchestrator.ts'
import { leakrig } from '../support/cli.ts'
import { Daemon } from '../support/daemon.ts'
import { isRunning, Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'
import { Witness } from '../support/witness.ts'

/* An agent is its pane and what runs there. Sessions and windows are only where it is shown. */

const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }
const claude = 'echo $$ >claude.pid; echo ready; sleep 1000 & wait'

let rig: Rig
let witness: Witness
let ref: AgentRef
beforeEach(async () => {
  rig = await Rig.start()
  witness = new Witness(rig, 'user')
  rig.tmux('new-session', '-d', '-s', 'mine', '--', ...witness.command)
  await witness.pid()
  ref = await rig.deploy('a', { claude })
})
afterEach(() => rig[Symbol.asyncDispose]())

const tmux =
  (...commands: string[][]) =>
  () => {
    for (const words of commands) rig.tmux(...words)
  }
/**
 * Starts the agent's pane again. Its claude before that may take a moment to end, and is no longer the agent's, and its
 * log says already what the new one will say.
 */
function respawn(pane: string, before = ''): void {
  fs.rmSync(path.join(rig.folder, 'claude.pid'))
  fs.truncateSync(layout.streamLog(ref))
  const again = rig.pipeline(ref, { claude, before }).replaceAll("'", "'\\''")
  rig.tmux('respawn-pane', '-k', '-t', pane, `bash -c '${again}'`)
}

/** Each ends with the agent at work in a place that is not on record. */
const moves: [string, () => void][] = [
  ['its window is moved into the user’s session', tmux(['move-window', '-s', '=agent_a:0', '-t', '=mine:7'])],
  [
    'its pane is broken out into the user’s session',
    tmux(['break-pane', '-d', '-s', '=agent_a:0.0', '-t', '=mine:7']),
  ],
  ['its pane joins the user’s window', tmux(['join-pane', '-d', '-s', '=agent_a:0.0', '-t', '=mine:0.0'])],
  [
    'its pane is swapped with the user’s',
    tmux(
      ['new-window', '-d', '-t', '=user:', 'sleep 1000'],
      ['swap-pane', '-d', '-s', '=agent_a:0.0', '-t', '=user:0.0'],
    ),
  ],
  ['its session is renamed', tmux(['rename-session', '-t', '=agent_a:', 'looking at this'])],
  [
    'its window is linked into the user’s session, and its own session killed',
    tmux(['link-window', '-s', '=agent_a:0', '-t', '=mine:7'], ['kill-session', '-t', '=agent_a:']),
  ],
  [
    'a session grouped with its own is opened, and its own killed',
    tmux(['new-session', '-d', '-s', 'group', '-t', '=agent_a'], ['kill-session', '-t', '=agent_a:']),
  ],
  ['its pane is started again', () => respawn('=agent_a:0.0')],
  [
    'its window is moved into the user’s session, and its pane started again there',
    () => {
      rig.tmux('move-window', '-s', '=agent_a:0', '-t', '=mine:7')
      respawn('=mine:7.0')
    },
  ],
]

describe('an agent lives on, and its end leaves the user’s session alone, after', () => {
  test.each(moves)('%s', async (_, move) => {
    rig.tmux('set-option', '-w', '-t', '=mine:', 'remain-on-exit', 'on')
    const log = layout.streamLog(ref)
    await rig.pid('claude')
    move()
    const pid = await rig.pid('claude')
    await until('it works', () => isRunning(pid) && readText(log).includes('ready'))
    expect(await detectEnd(ref, rig.entry(ref))).toBeUndefined()
    leakrig(['sweep', rig.workspace, '--apply', '--grace', '1s', '--min-age', '0s'])
    expect(isRunning(pid)).toBe(true)
    expect(rig.entry(ref).status).toBe('running')

    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', status: 'completed' })
    expect(isRunning(pid)).toBe(false)
    expect(rig.processesOf(ref)).toEqual([])
    expect(witness.harm()).toEqual([])
    expect(rig.sessions()).toEqual(expect.arrayContaining(['mine', 'user']))
    const dead = rig.tmux('list-panes', '-a', '-f', '#{pane_dead}', '-F', '#{pane_id}')
    expect(dead).toBe('')
  })

  test('and a daemon that watches it notices its end', async () => {
    const daemon = await Daemon.start(rig)
    rig.tmux('move-window', '-s', '=agent_a:0', '-t', '=mine:7')
    rig.tmux('new-session', '-d', '-s', 'another', 'sleep 1000')
    // A check that finds an agent ended would do so in this time: it begins with the closing of a session's terminal.
    rig.tmux('kill-session', '-t', '=another:')
    const other = await rig.deploy('b', { claude: 'echo ready; sleep 1000 & wait' })
    rig.tmux('kill-session', '-t', '=agent_b:')
    await until('the other is clean', () => rig.entry(other).cleanup?.state === 'done')
    expect(rig.entry(ref).status).toBe('running')
    rig.tmux('kill-window', '-t', '=mine:7')
    await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
    expect(witness.harm()).toEqual([])
    expect(await daemon.stop()).toBe(0)
  })
})

test('an agent whose pane was started again lives, also before its claude opens the log', async () => {
  const daemon = await Daemon.start(rig)
  const before = rig.entry(ref).tmux?.pane_pid ?? 0
  const open = path.join(rig.folder, 'open')
  respawn('=agent_a:0.0', `until [ -e ${open} ]; do sleep 0.05; done;`)
  await until('the pane’s process before has ended', () => !isRunning(before))
  expect(await detectEnd(ref, rig.entry(ref))).toBeUndefined()
  // The daemon finds another end meanwhile.
  const other = await rig.deploy('b', { claude })
  rig.tmux('kill-session', '-t', '=agent_b:')
  await until('the other is clean', () => rig.entry(other).cleanup?.state === 'done')
  expect(rig.entry(ref).status).toBe('running')

  fs.writeFileSync(open, '')
  await until('it works', () => readText(layout.streamLog(ref)).includes('ready'))
  rig.tmux('kill-pane', '-t', '=agent_a:0.0')
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  expect(rig.processesOf(ref)).toEqual([])
  expect(await daemon.stop()).toBe(0)
})

test('also when tmux listed its panes right before that', async () => {
  const [asked, answer] = [path.join(rig.folder, 'asked'), path.join(rig.folder, 'answer')]
  const slow = path.join(rig.folder, 'slow')
  fs.mkdirSync(slow)
  fs.writeFileSync(
    path.join(slow, 'tmux'),
    `#!/bin/bash
PATH=\${PATH#*:}
tmux "$@" || exit
case "$*" in *list-sessions*) touch ${asked}; until [ -e ${answer} ]; do sleep 0.01; done ;; esac`,
    { mode: 0o755 },
  )
  const before = rig.entry(ref).tmux?.pane_pid ?? 0
  const PATH = process.env.PATH
  process.env.PATH = `${slow}:${PATH}`
  try {
    const end = detectEnd(ref, rig.entry(ref))
    await until('tmux has listed its panes', () => fs.existsSync(asked))
    respawn('=agent_a:0.0', 'sleep 1000;')
    await until('the pane’s process before has ended', () => !isRunning(before))
    fs.writeFileSync(answer, '')
    expect(await end).toBeUndefined()
  } finally {
    process.env.PATH = PATH
  }
})

test('an agent whose pane is dead or gone has ended, whatever else writes its log', async () => {
  rig.tmux('set-option', '-w', '-t', '=agent_a:', 'remain-on-exit', 'on')
  rig.tmux('split-window', '-d', '-t', '=agent_a:', 'sleep 1000')
  const pane = rig.entry(ref).tmux?.pane_pid ?? 0
  // tee outlives the shell, because somebody holds its input open.
  spawnSync('kill', ['-KILL', String(pane)])
  await until('the pane is dead', () => !isRunning(pane))
  expect(await detectEnd(ref, rig.entry(ref))).toMatchObject({ status: 'crashed' })
})

test.each([
  ['in the user’s session', ['move-window', '-d', '-s', '=agent_b:0', '-t', '=mine:7']],
  ['in the user’s window', ['join-pane', '-d', '-s', '=agent_b:0.0', '-t', '=mine:0.0']],
])(
  'the dead pane of an agent that has ended by itself %s is closed, and the user’s is not',
  async (_, move) => {
    rig.tmux('set-option', '-wg', 'remain-on-exit', 'on')
    const ended = await rig.deploy('b', { claude: 'echo ready; until [ -e done ]; do sleep 0.02; done' })
    rig.tmux('new-window', '-d', '-t', '=mine:8', `tail -n 1 ${layout.promptFile(ended)}`)
    rig.tmux(...move)
    fs.writeFileSync(path.join(rig.folder, 'done'), '')
    const dead = () =>
      rig.tmux('list-panes', '-a', '-f', '#{pane_dead}', '-F', '#{pane_id}').split('\n').toSorted()
    await until('both panes are dead', () => dead().length === 2)
    const users = dead().find(id => id !== rig.entry(ended).tmux?.pane_id) ?? ''
    expect(await cleanUp(ended, completed)).toMatchObject({ outcome: 'clean' })
    expect(dead()).toEqual([users])

    // Not even if the record names it.
    const tmux = { ...rig.entry(ended).tmux, pane_id: users }
    await updateAgent(ended, entry => Object.assign(entry, { tmux, status: 'running', cleanup: undefined }))
    await cleanUp(ended, completed)
    expect(dead()).toEqual([users])
  },
)
