import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AgentRef } from '../../index.ts'
import { layout, updateAgent } from '../../orchestrator.ts'
import { leakrig } from '../support/cli.ts'
import { Daemon } from '../support/daemon.ts'
import { isRunning, kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

/*
 * The report's system records no place in tmux, and the safety net is started without its TMUX_TMPDIR, or as another user.
 */

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
let elsewhere: NodeJS.ProcessEnv
let ref: AgentRef
beforeEach(async () => {
  rig = await Rig.start()
  elsewhere = { TMUX_TMPDIR: path.join(rig.folder, 'elsewhere') }
  fs.mkdirSync(path.join(rig.folder, 'elsewhere'))
  ref = await rig.deploy('a', {
    claude: `echo $$ > claude.pid; ${idle}`,
    recorded: false,
    marker: false,
    entry: { started_at: '2026-01-01T00:00:00Z' },
  })
})
afterEach(() => rig[Symbol.asyncDispose]())

const sweep = (env: NodeJS.ProcessEnv) =>
  leakrig(['sweep', rig.workspace, '--apply', '--grace', '1s'], '/', env)

describe('an agent on a server that is not asked', () => {
  test.each(['running', 'completed'])('is not swept, and the reason is shown: %s', async status => {
    await updateAgent(ref, entry => Object.assign(entry, { status }))
    const claude = await rig.pid('claude')
    const { code, out } = sweep(elsewhere)
    expect(code).toBe(3)
    expect(out).toMatch(/writes the agent’s log from a pane of another server, .*; set TMUX_TMPDIR/)
    expect(isRunning(claude)).toBe(true)
    expect(rig.entry(ref)).toMatchObject({ status })
    expect(fs.existsSync(layout.promptFile(ref))).toBe(true)
  })

  test('is not ended by a daemon, which logs the reason and cleans up once the agent has ended', async () => {
    const claude = await rig.pid('claude')
    process.env.TMUX_TMPDIR = elsewhere.TMUX_TMPDIR
    const daemon = await Daemon.start(rig)
    process.env.TMUX_TMPDIR = rig.folder
    await until('it is logged', () => daemon.events('cleanup-failed').length > 0)
    expect(JSON.stringify(daemon.events('cleanup-failed'))).toContain('another server')
    expect(isRunning(claude)).toBe(true)
    expect(rig.entry(ref).status).toBe('running')
    rig.tmux('kill-session', '-t', '=agent_a:')
    await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done', 60_000)
    expect(await daemon.stop()).toBe(0)
  })
})

test('a process that outlives its session on the server that is asked is swept', async () => {
  const ref = await rig.deploy('b', {
    claude: `echo $$ > left.pid; trap '' HUP; echo ready; sleep 1000 & wait`,
    before: `trap '' HUP;`,
    recorded: false,
    marker: false,
    entry: { started_at: '2026-01-01T00:00:00Z' },
  })
  const left = await rig.pid('left')
  rig.tmux('kill-session', '-t', '=agent_b:')
  await until('the session is gone', () => !rig.sessions().includes('agent_b'))
  expect(isRunning(left)).toBe(true)
  expect(sweep({}).code).toBe(0)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  kill(left)
})
