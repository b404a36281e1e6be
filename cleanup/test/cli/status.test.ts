import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { statusLines } from '../../cli/status-text.ts'
import { type AgentRef, measure } from '../../index.ts'
import { writeHealth } from '../../metrics/health.ts'
import { layout, updateAgent } from '../../orchestrator.ts'
import { readProcess, startOf } from '../../platform/processes/table.ts'
import { managerOf } from '../../service/manager.ts'
import { serviceState } from '../../service/state.ts'
import { Daemon } from '../support/daemon.ts'
import { Rig } from '../support/rig.ts'
import { runCommand } from '../support/run-command.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const end = (ref: AgentRef, state: 'pending' | 'done', problems?: string[]) =>
  updateAgent(ref, entry => {
    entry.status = 'completed'
    entry.completed_at = new Date(Date.now() - 3_700_000).toISOString()
    entry.cleanup = { state, since: entry.completed_at, reason: 'x', ...(problems && { problems }) }
  })

/** Everything that the command could have changed. */
function traceOfFiles(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map(name => {
      const { ino, size, mtimeMs, ctimeMs } = fs.statSync(path.join(folder, name))
      return [name, ino, size, mtimeMs, ctimeMs].join(' ')
    })
}

test('a table for people: live and pending agents, problems below them, totals, daemon, disk', async () => {
  await rig.deploy('lives', { claude: idle })
  await end(await rig.deploy('waits', { claude: idle }), 'pending', ['The disk is full.'])
  const gone = await rig.deploy('gone', { claude: idle })
  rig.tmux('kill-session', '-t', '=agent_gone:')
  await end(gone, 'done')
  rig.tmux('new-session', '-d', '-s', 'agent_ghost', 'sleep 1000')

  const before = traceOfFiles(rig.workspace)
  const { code, out, err } = await runCommand('status', rig.workspace)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(traceOfFiles(rig.workspace)).toEqual(before)

  expect(out).toMatch(/^ +AGENT +STATUS +SINCE +SESSION +PROCS +RSS +LOG +OUTPUT +CLEANUP$/m)
  expect(out).toMatch(/^ +TASK-1\/lives +running +\d+ s +yes +4 +\S+ [KM]iB +6 B +\d+ s +-$/m)
  expect(out).toMatch(
    /^ +TASK-1\/waits +completed +62 min +yes +4 +\S+ [KM]iB +6 B +\d+ s +pending$\n +! The disk is full\.$/m,
  )
  expect(out).not.toContain('TASK-1/gone')
  expect(out).toContain(
    '3 agents, 1 of them done and not shown (--all); 1 cleanup pending, the oldest for 62 min',
  )
  expect(out).toContain('daemon: none')
  expect(out).toMatch(/disk: prompt 3 \(\S+ KiB\), stream 3 .*; \S+ [MGT]iB free$/m)
  expect(out).toContain('In all: 1 running, 2 completed')
  expect(out).toContain('sessions: 1 of live agents, 1 of ended agents, 1 leftover')
  expect(out).toMatch(/^ +agent_ghost \(\$\d+ on /m)
  expect((await runCommand('status', '--all', rig.workspace)).out).toMatch(
    /TASK-1\/gone +completed +62 min +- +- +- +6 B +\d+ s +done$/m,
  )
})

test('an empty workspace has no files', async () => {
  const empty = path.join(rig.folder, 'empty')
  fs.mkdirSync(empty)
  expect(statusLines(await measure([empty]), false).join('\n')).toMatch(
    /^ {2}disk: no files; \S+ [MGT]iB free$/m,
  )
})

test('a stopped daemon is not reported as healthy', async () => {
  const pid = rig.start('sleep', ['1000'])
  const identity = { pid, start: startOf(pid) ?? 0 }
  const now = new Date().toISOString()
  writeHealth(rig.workspace, {
    ...{ ...identity, started_at: now, heartbeat_at: now },
    ...{ state: 'ok', reasons: [], workspaces: [rig.workspace], pending: 0 },
  })
  fs.writeFileSync(layout.daemonLock(rig.workspace), JSON.stringify(identity))
  process.kill(pid, 'SIGSTOP')
  await until('it is stopped', () => readProcess(pid)?.state === 'T')
  const found = await measure([rig.workspace])
  expect(found.workspaces[0]?.daemon).toMatchObject({ pid, stopped: true, fresh: false })
  const lines = statusLines(found, false)
  expect(lines).toContain(
    `  daemon: process ${pid}, stopped: it cleans up nothing until it is continued (kill -CONT ${pid})`,
  )
  const place = { platform: 'linux', hasSystemd: false, home: rig.folder, uid: 0 } as const
  const state = await serviceState(new Error('not planned'), place, managerOf(place, false), [rig.workspace])
  expect(state).toMatchObject({ isHealthy: false })
  expect(state.lines).toContain(`${rig.workspace}: daemon ${pid} is stopped; continue it (kill -CONT ${pid})`)
  process.kill(pid, 'SIGCONT')
})

test('the daemon is shown', async () => {
  const daemon = await Daemon.start(rig)
  expect((await runCommand('status', rig.workspace)).out).toContain(`daemon: process ${daemon.child.pid}`)
  await daemon.stop()
})

test('--json prints the same for programs', async () => {
  const ref = await rig.deploy('lives', { claude: idle })
  const { code, out } = await runCommand('status', '--json', rig.workspace)
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({
    workspaces: [
      { workspace: rig.workspace, agents: [{ ...ref, state: 'live', session: true, processes: 4 }] },
    ],
    sessions: { active: 1 },
    problems: [],
  })
})

test('control characters in another program’s text are escaped', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  await updateAgent(ref, entry => {
    entry.status = 'run\x1b[2J\nning'
  })
  const { out } = await runCommand('status', rig.workspace)
  expect(out).toContain('run\\u{1b}[2J\\u{a}ning')
  expect(out).not.toContain('\x1b')
})

describe('what could not be read is reported, in its row if it has one, with exit code 3', () => {
  test('a tmux that does not answer', async () => {
    const ref = await rig.deploy('a', { claude: idle, socket: `${rig.folder}/own` })
    const server = rig.entry(ref).tmux?.server_pid ?? 0
    process.kill(server, 'SIGSTOP')
    try {
      const { code, out } = await runCommand('status', rig.workspace)
      expect(code).toBe(3)
      expect(out).toMatch(/TASK-1\/a +running +\d+ s +\? +\? +\? .*\n +! tmux on .* could not be queried/)
      expect(out).not.toContain('sessions:')
    } finally {
      process.kill(server, 'SIGCONT')
    }
  })

  test('a registry that does not parse, and a missing workspace', async () => {
    fs.writeFileSync(layout.taskRegistry(rig.workspace, 'TASK-1'), '{')
    const { code, out } = await runCommand('status', rig.workspace)
    expect(code).toBe(3)
    expect(out).toMatch(/^! The registry .* could not be read: it is not whole JSON/m)
    const mistyped = await runCommand('status', rig.workspace, `${rig.folder}/nowhere`)
    expect(mistyped).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('nowhere" does not exist'),
    })
  })
})

test.each([
  ['--watch', 'The option --watch was removed'],
  ['--watch --interval 5', 'The option --watch was removed'],
  ['--interval 5', 'The option --interval was removed together with --watch'],
])('%s names watch(1)', async (args, what) => {
  expect(await runCommand('status', ...args.split(' '), rig.workspace)).toEqual({
    code: 2,
    out: '',
    err: `leakrig: ${what}; use this instead: watch -n 2 'npm run -s leakrig -- status DIR'\n`,
  })
})

test('a workspace that is named twice is listed once', async () => {
  const link = path.join(rig.folder, 'link')
  fs.symlinkSync(rig.workspace, link)
  const { out } = await runCommand('status', '--json', rig.workspace, rig.workspace, link)
  expect(JSON.parse(out).workspaces).toMatchObject([{ workspace: rig.workspace }])
})

test('wrong usage', async () => {
  expect(await runCommand('status', '--what')).toMatchObject({ code: 2, out: '' })
})
