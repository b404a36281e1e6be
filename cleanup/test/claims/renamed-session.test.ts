import fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { needs } from '../../../test/needs.ts'
import { cleanUp } from '../../index.ts'
import { detectEnd } from '../../liveness/detect-end.ts'
import { addAgent, layout } from '../../orchestrator.ts'
import { leakrig } from '../support/cli.ts'
import { isRunning, Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'

const claude = 'echo $$ >claude.pid; echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

describe('an agent of another orchestrator that has no session of its name, and whose log is being written, lives', () => {
  test.each<[what: string, session: string | undefined, start: (line: string) => void]>([
    ['tmux has altered its name', 'agent.v1', line => rig.tmux('new-session', '-d', '-s', 'agent.v1', line)],
    [
      'the user has renamed its session',
      'agent_a',
      line => {
        rig.tmux('new-session', '-d', '-s', 'agent_a', line)
        rig.tmux('rename-session', '-t', '=agent_a:', 'looking at this')
      },
    ],
    [
      'the user has moved its window into his session',
      'agent_a',
      line => {
        rig.tmux('new-session', '-d', '-s', 'agent_a', line)
        rig.tmux('move-window', '-s', '=agent_a:0', '-t', '=user:7')
      },
    ],
    [
      'it was never in tmux',
      undefined,
      line => rig.start('bash', ['-c', line], { TMUX: undefined, TMUX_PANE: undefined }),
    ],
  ])('%s', async (_, session, start) => {
    const ref = rig.ref('a')
    fs.writeFileSync(layout.promptFile(ref), 'do this')
    const started_at = new Date().toISOString()
    await addAgent(ref, { status: 'running', started_at, ...(session && { tmux_session: session }) })
    start(rig.pipeline(ref, { claude }))
    await until('it writes', () => readText(layout.streamLog(ref)).includes('ready'))
    const pid = await rig.pid('claude')
    expect(await detectEnd(ref, rig.entry(ref))).toBeUndefined()
    leakrig(['sweep', rig.workspace, '--apply', '--grace', '1s', '--min-age', '0s'])
    expect(isRunning(pid)).toBe(true)
    expect(rig.entry(ref).status).toBe('running')
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
  })
})

test('its tee is not ended while its claude, which nothing ties to it, writes on', async () => {
  const ref = rig.ref('a')
  const started_at = new Date().toISOString()
  await addAgent(ref, { status: 'completed', tmux_session: 'agent_a', started_at })
  const writes = `${claude.replace('sleep 1000 & wait', '')} while :; do echo line; sleep 0.02; done`
  rig.tmux('new-session', '-d', '-s', 'agent_a', rig.pipeline(ref, { claude: writes }))
  await until('it writes', () => readText(layout.streamLog(ref)).includes('line'))
  const pid = await rig.pid('claude')
  rig.tmux('rename-session', '-t', '=agent_a:', 'looking at this')
  const { code, out } = leakrig(['sweep', rig.workspace, '--apply', '--grace', '300ms', '--min-age', '0s'])
  const [size] = [fs.statSync(layout.streamLog(ref)).size]
  await until('it writes on', () => fs.statSync(layout.streamLog(ref)).size > size)
  expect(isRunning(pid)).toBe(true)
  expect([code, out]).toEqual([
    1,
    expect.stringMatching(/left: .*_stream.jsonl was left in place: process \d+ \(tee\)/),
  ])
  expect(out).toMatch(/suspect, left alone: bash .*below it writes the agent’s log/)
  rig.tmux('kill-session', '-t', '=looking at this:')
  await until('it has ended', () => !isRunning(pid))
  expect(leakrig(['sweep', rig.workspace, '--apply']).code).toBe(0)
})

test('an agent in a container, whose log is written there, lives', async () => {
  needs('root rights', process.geteuid?.() === 0)
  needsNamespaces()
  const ref = rig.ref('a')
  await addAgent(ref, { status: 'running', tmux_session: 'agent_a', started_at: new Date().toISOString() })
  const server = `tmux -f /dev/null -S ${rig.folder}/inner new-session -d -s agent_a '${rig.pipeline(ref, { claude })}'`
  rig.start('unshare', ['-pfm', '--mount-proc', '--kill-child', 'sh', '-c', `${server}; sleep 1000`], {
    TMUX: undefined,
    TMUX_PANE: undefined,
  })
  await until('it writes', () => readText(layout.streamLog(ref)).includes('ready'))
  expect(await detectEnd(ref, rig.entry(ref))).toBeUndefined()
})

test('a process that has emptied its environment and holds the log of an agent that was in tmux is a leftover', async () => {
  const ref = rig.ref('a')
  await addAgent(ref, { status: 'running', tmux_session: 'agent_a', started_at: new Date().toISOString() })
  const script = `cd ${rig.folder}; exec >>${layout.streamLog(ref)}; setsid env -i sleep 1000 & echo $! >left.pid; ${claude}`
  rig.newSession(ref, { claude: '', marker: false }, ['bash', '-c', script])
  await until('it writes', () => readText(layout.streamLog(ref)).includes('ready'))
  const pid = await rig.pid('left')
  await until('it has become what it is', () => readText(`/proc/${pid}/comm`) === 'sleep\n')
  rig.tmux('kill-session', '-t', '=agent_a:')
  expect(await detectEnd(ref, rig.entry(ref))).toMatchObject({ status: 'crashed' })
})

test('an orchestrator that writes the log of its only agent is not part of the agent, and does not keep it alive', async () => {
  const ref = rig.ref('a')
  const lines = `exec 7>>${layout.streamLog(ref)}; echo ready >&7; sleep 1000 7>&-`
  const orchestrator = rig.start('bash', ['-c', lines], { TMUX: undefined, TMUX_PANE: undefined })
  await until('it writes', () => readText(layout.streamLog(ref)).includes('ready'))
  // Older than the agent by minutes, as an orchestrator is.
  await addAgent(ref, { status: 'running', started_at: new Date(Date.now() + 600_000).toISOString() })
  expect(await detectEnd(ref, rig.entry(ref))).toMatchObject({ status: 'crashed' })
  const report = await cleanUp(ref, { status: 'completed', reason: 'it said so', graceMs: 300 })
  expect(report.ended).toEqual([])
  expect(report.problems).toEqual([
    expect.stringMatching(/was left in place: process \d+ \(bash\).* still writes it/),
  ])
  expect(isRunning(orchestrator)).toBe(true)
})
