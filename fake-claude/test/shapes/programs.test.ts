import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import {
  adopter,
  answersTo,
  childrenOf,
  cmdline,
  facts,
  inSession,
  isAlive,
  openFiles,
} from '../support/proc.ts'
import { made, shaped } from '../support/shaped.ts'
import { stormOf } from '../support/traces.ts'
import { until } from '../support/until.ts'

vi.setConfig({ maxConcurrency: 6 })

test.concurrent.for([1, 3])('mcp-launcher: a real MCP server, %s + 1 shells below claude', async depth => {
  await using run = shaped(`mcp-launcher depth=${depth}`)
  const server = await made(run, 'server')
  const launcher = await made(run, 'launcher')
  expect(run.children('mcp')).toEqual([launcher])
  await run.session()
  expect(run.lines[0]).toMatchObject({
    mcp_servers: [{ name: 'launched-1', status: 'connected', source: 'dynamic' }],
    tools: expect.arrayContaining(['mcp__launched-1__look']),
  })
  const chain = [run.pid, launcher, ...run.made('wrapper'), server]
  expect(chain).toHaveLength(depth + 3)
  const { pgid, sid, tty } = facts(run.pid) ?? {}
  for (const [at, pid] of chain.slice(1).entries())
    expect(facts(pid)).toMatchObject({ ppid: chain[at], pgid, sid, tty })
  expect(answersTo(server, 'SIGHUP')).toBe('ignored')
})

test.concurrent.for(['legacy', 'mid', 'current'])(
  'mcp-launcher: only the launcher is signalled, the server outlives a %s claude',
  async profile => {
    await using run = shaped(`mcp-launcher profile=${profile}`)
    const server = await made(run, 'server')
    expect(await run.signal('SIGTERM')).toBe(143)
    // It has read the end of its stdin.
    await until('it has let go of it', () => readlinkSync(`/proc/${server}/fd/0`) === '/dev/null')
    process.kill(server, 'SIGHUP')
    expect(isAlive(server)).toBe(true)
    process.kill(server, 'SIGTERM')
    await until('TERM ends it', () => !isAlive(server))
  },
)

test.concurrent('nested-server: a tmux server with a session and something in it', async () => {
  await using run = shaped('nested-server children=2')
  await made(run, 'server')
  const [server = 0, second = 0] = run.made('server')
  const [pane = 0] = run.made('pane')
  expect(facts(server)).toMatchObject({ comm: 'tmux: server', ppid: adopter(), sid: server })
  await until('the pane has its command', () => facts(pane)?.comm === 'sleep')
  expect(facts(pane)).toMatchObject({ ppid: server })
  expect(facts(second)).toMatchObject({ comm: 'tmux: server' })
  const ask = (label: string) =>
    execFileSync('tmux', ['-L', label, 'list-sessions', '-F', '#{session_name} #{pid}'], {
      env: run.environment,
      encoding: 'utf8',
    })
  expect(ask(`swarm-${run.pid}`)).toBe(`swarm ${server}\n`)
  expect(ask(`swarm-${run.pid}-2`)).toBe(`swarm ${second}\n`)
})

test.concurrent('temp-files: files that belong to no process', async () => {
  await using run = shaped('temp-files children=3')
  await run.noted('idle')
  const paths = run.journal.filter(({ role }) => role === 'file').map(({ path }) => String(path))
  expect(paths).toHaveLength(3)
  for (const path of paths) {
    expect(path.startsWith(`${run.temporary}/`)).toBe(true)
    expect(path).toMatch(/\/claude-[0-9a-f]{4}-cwd$/)
    expect(readFileSync(path, 'utf8')).toBe(`${run.cwd}\n`)
  }
  const team = `${run.home}/.claude/teams/swarm-${run.pid}`
  expect(JSON.parse(readFileSync(`${team}/config.json`, 'utf8'))).toMatchObject({
    name: `swarm-${run.pid}`,
    leadSessionId: await run.session(),
  })
  expect(statSync(`${run.home}/.claude/tasks/swarm-${run.pid}`).isDirectory()).toBe(true)
  expect(await run.signal('SIGTERM')).toBe(143)
  expect(paths.map(path => statSync(path).isFile())).toEqual([true, true, true])
})

test.concurrent('respawn: a killed worker is restarted, and TERM is ignored', async () => {
  await using run = shaped('respawn')
  const supervisor = await made(run, 'supervisor')
  const first = await made(run, 'worker')
  expect(facts(supervisor)).toMatchObject({ ppid: adopter(), sid: supervisor })
  expect(answersTo(supervisor, 'SIGTERM')).toBe('ignored')
  // Until its exec it is a fork of the supervisor, which ignores TERM.
  await until('its worker hears TERM', () => answersTo(first, 'SIGTERM') === 'default')
  process.kill(first, 'SIGKILL')
  const next = await until('there is another', () =>
    childrenOf(supervisor).find(({ pid, comm }) => pid !== first && comm === 'sleep'),
  )
  process.kill(supervisor, 'SIGTERM')
  process.kill(next.pid, 'SIGTERM')
  await until('and another', () =>
    childrenOf(supervisor).find(({ pid, comm }) => ![first, next.pid].includes(pid) && comm === 'sleep'),
  )
})

test.concurrent('fork-storm: always another process, never more than a few, one session', async () => {
  await using run = shaped('fork-storm')
  const first = await made(run, 'generation')
  const seen = new Set<number>()
  const most = { alive: 0 }
  await until('twenty generations have been seen', () => {
    most.alive = Math.max(most.alive, inSession(first).length)
    for (const pid of stormOf(first)) seen.add(pid)
    return seen.size >= 20
  })
  expect(isAlive(first)).toBe(false)
  // Two, and what was forked during one scan of /proc.
  expect(most.alive).toBeLessThan(10)
  process.kill(-first, 'SIGKILL')
  await until('its group is gone', () => !hasGroup(first))
})

test.concurrent('pty: terminals without a user', async () => {
  await using run = shaped('pty')
  const holder = await made(run, 'holder')
  const held = openFiles(holder)
  expect(held.filter(path => path === '/dev/ptmx' || path === '/dev/pts/ptmx')).toHaveLength(4)
  expect(new Set(held.filter(path => /^\/dev\/pts\/\d+$/.test(path))).size).toBe(4)
  expect(facts(holder)).toMatchObject({ tty: 0, sid: holder })
  expect(cmdline(holder)[0]).toBe('perl')
})

function hasGroup(pgid: number): boolean {
  try {
    return process.kill(-pgid, 0)
  } catch {
    return false
  }
}
