/** @module-tag tools */

import { execFileSync, spawnSync } from 'node:child_process'
import { readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { dirSync } from 'tmp-promise'
import { expect, test, vi } from 'vitest'
import { adopter, childrenOf, cmdline, environment, facts, openFiles } from '../support/proc.ts'
import { made, shaped } from '../support/shaped.ts'
import { until } from '../support/until.ts'

vi.setConfig({ maxConcurrency: 6 })

test.concurrent('own-session: an orphan that leads its session', async () => {
  await using run = shaped('own-session')
  const child = await made(run, 'child')
  expect(facts(child)).toMatchObject({ ppid: adopter(), sid: child, pgid: child, tty: 0 })
  await until('it only waits', () => facts(child)?.state === 'S')
  expect(environment(child)).toMatchObject({
    HOME: run.home,
    TMUX_PANE: '%7',
    CLAUDECODE: '1',
    CLAUDE_CODE_SESSION_ID: await run.session(),
    CLAUDE_PID: String(run.pid),
    CLAUDE_CODE_CHILD_SESSION: '1',
  })
  expect(readlinkSync(`/proc/${child}/cwd`)).toBe(run.cwd)
  // The output file of a finished Bash call, deleted but still open here.
  expect(readlinkSync(`/proc/${child}/fd/1`)).toMatch(/\/tasks\/f\w+\.output \(deleted\)$/)
})

test.concurrent("without a place: a child of claude's, in its group and on its terminal", async () => {
  await using run = shaped('hup-ignored')
  const child = await made(run, 'child')
  const { pgid, sid, tty } = facts(run.pid) ?? {}
  expect(facts(child)).toMatchObject({ ppid: run.pid, pgid, sid, tty })
  const environ = environment(child)
  expect(environ).toMatchObject({ TMUX_PANE: '%7', CLAUDE_CODE_SESSION_ID: await run.session() })
  expect(environ).not.toHaveProperty('CLAUDE_PID')
})

test.concurrent('daemon: no parent, no leader of its session; environment and folder stay', async () => {
  await using run = shaped('daemon')
  const child = await made(run, 'child')
  const { sid = 0, ...is } = facts(child) ?? {}
  expect(is).toMatchObject({ ppid: adopter(), pgid: sid, tty: 0 })
  expect(sid).not.toBe(child)
  expect(run.children('bash')).not.toContain(sid)
  await until('the leader of its session is dead', () => facts(sid) === undefined)
  expect(environment(child)).toMatchObject({ HOME: run.home, CLAUDE_PID: String(run.pid) })
  expect(readlinkSync(`/proc/${child}/cwd`)).toBe(run.cwd)
})

test.concurrent.for<[string, Record<string, string | undefined>]>([
  ['bare-daemon', {}],
  ['path-daemon', { PATH: process.env.PATH }],
])('%s: nothing in it shows its owner', async ([shape, left]) => {
  await using run = shaped(shape)
  const child = await made(run, 'child')
  const { sid, ...is } = facts(child) ?? {}
  expect(is).toMatchObject({ ppid: adopter(), pgid: sid, tty: 0 })
  expect(sid).not.toBe(child)
  expect(environment(child)).toEqual(left)
  expect(readlinkSync(`/proc/${child}/cwd`)).toBe('/')
  expect(openFiles(child).filter(path => path !== '/dev/null' && !path.endsWith('/child.pl'))).toEqual([])
  expect(cmdline(child).join(' ')).not.toContain(run.folder)
})

test.concurrent.for(['tini', 'perl'])('subreaper: %s adopts it', async (reaper, { skip }) => {
  skip(spawnSync(reaper, ['--version']).error !== undefined, `no ${reaper} on the PATH`)
  const tools = withoutTini()
  await using run = shaped('subreaper', reaper === 'perl' ? { env: { PATH: tools.name } } : {})
  const child = await made(run, 'child')
  const [subreaper = 0] = run.made('subreaper')
  const [main = 0] = run.made('main')
  expect(facts(subreaper)).toMatchObject({ comm: reaper, ppid: adopter(), sid: subreaper })
  expect(facts(main)).toMatchObject({ ppid: subreaper })
  const { sid } = facts(child) ?? {}
  expect(facts(child)).toMatchObject({ ppid: subreaper, pgid: sid })
  expect(sid).not.toBe(subreaper)
  // It collects what it has adopted.
  process.kill(child, 'SIGKILL')
  await until('the dead child is gone', () => facts(child) === undefined)
  expect(facts(subreaper)).toBeDefined()
  tools.removeCallback()
})

test.concurrent('live-parent: below a daemon that stays', async () => {
  await using run = shaped('live-parent children=2')
  await made(run, 'child')
  const parents = run.made('parent')
  expect(parents.map(pid => facts(pid)?.ppid)).toEqual([adopter(), adopter()])
  const below = parents.flatMap(childrenOf).map(({ pid }) => pid)
  expect(below.sort()).toEqual(run.made('child').sort())
})

test.concurrent('job-control: a group of its own in the session of a finished Bash call', async () => {
  await using run = shaped('job-control')
  const child = await made(run, 'child')
  const [leader] = run.children('bash')
  expect(facts(child)).toMatchObject({ ppid: adopter(), pgid: child, sid: leader, tty: 0 })
})

// A PATH with everything that claude needs except tini.
function withoutTini() {
  const folder = dirSync({ prefix: 'fake-claude', unsafeCleanup: true })
  for (const tool of ['sh', 'bash', 'perl', 'setsid', 'sleep', 'date', 'mkfifo', 'rm', 'realpath'])
    symlinkSync(
      execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(),
      join(folder.name, tool),
    )
  return folder
}
