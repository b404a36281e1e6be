import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { executable, type Run } from '../support/claude.ts'
import { adopter, childrenOf, cmdline, environment, facts, isAlive } from '../support/proc.ts'
import { made, shaped } from '../support/shaped.ts'
import { until } from '../support/until.ts'

vi.setConfig({ maxConcurrency: 4 })

const claude = (run: Run, ...args: string[]): string =>
  execFileSync(executable, args, { cwd: run.cwd, env: run.environment, encoding: 'utf8' })

/** The background sessions, as `claude agents --json` shows them. */
const agents = (run: Run): { id: string; pid?: number; state: string }[] =>
  JSON.parse(claude(run, 'agents', '--json'))

test.concurrent('a service, two hosts with a session each, a worker on a terminal of its own, and a spare', async () => {
  await using run = shaped('background-session', { env: { TMUX: '/tmp/x,1,0' } })
  const worker = await made(run, 'worker')
  const [service = 0] = run.made('service')
  expect(facts(service)).toMatchObject({ comm: 'claude', ppid: adopter(), sid: service, tty: 0 })
  expect(cmdline(service).slice(2, 6)).toEqual(['daemon', 'run', '--origin', 'transient'])
  expect(environment(service)).toMatchObject({ TMUX: '/tmp/x,1,0', TMUX_PANE: '%7' })
  expect(environment(service)).not.toHaveProperty('CLAUDE_CODE_SESSION_ID')

  const hosts = run.made('host')
  expect(childrenOf(service).map(({ pid }) => pid)).toEqual(hosts)
  for (const pid of hosts) expect(facts(pid)).toMatchObject({ comm: 'claude', sid: pid, tty: 0 })
  const claudes = hosts.flatMap(childrenOf)
  const spare = claudes.find(({ pid }) => pid !== worker)
  expect(facts(worker)).toMatchObject({ comm: 'claude', sid: worker, tty: expect.toSatisfy(tty => tty > 0) })
  expect(spare).toMatchObject({ comm: 'claude', sid: spare?.ppid, tty: 0 })
  expect(cmdline(worker).join(' ')).not.toContain('Background work')

  const [bash] = childrenOf(worker)
  const { id } = agents(run)[0] ?? {}
  expect(environment(bash?.pid ?? 0)).toMatchObject({ CLAUDE_JOB_DIR: `${run.home}/.claude/jobs/${id}` })
  for (const pid of [worker, bash?.pid ?? 0]) expect(environment(pid)).not.toHaveProperty('TMUX')
})

test.concurrent('stop: the session ends, and the service some seconds later, with its files', async () => {
  await using run = shaped('background-session')
  const worker = await made(run, 'worker')
  const [service = 0] = run.made('service')
  const [bash] = childrenOf(worker)
  const [session] = agents(run)
  expect(claude(run, 'logs', session?.id ?? '')).toContain('working')
  claude(run, 'stop', session?.id ?? '')
  await until('it has ended, with its Bash tool', () => !isAlive(worker) && !isAlive(bash?.pid ?? 0))
  expect(agents(run)).toEqual([])
  await until('the service has ended', () => !isAlive(service))
  expect(existsSync(`${run.home}/.claude/daemon.lock`)).toBe(false)
  expect(existsSync(`${run.home}/.claude/daemon.log`)).toBe(true)
})

test.concurrent('KILL for the worker: its Bash tool lives on, and the session still shows as working', async () => {
  await using run = shaped('background-session')
  const worker = await made(run, 'worker')
  const [bash] = childrenOf(worker)
  process.kill(worker, 'SIGKILL')
  await until(
    'its host has ended',
    () => !isAlive(worker) && run.left.filter(role => role === 'host').length === 1,
  )
  expect(facts(bash?.pid ?? 0)).toMatchObject({ ppid: adopter() })
  expect(agents(run)).toMatchObject([{ state: 'working' }])
})

test.concurrent('a worker that ended is started again', { tags: ['long'] }, async () => {
  await using run = shaped('background-session')
  const worker = await made(run, 'worker')
  process.kill(worker, 'SIGTERM')
  await until('another one has the session', () => agents(run).some(({ pid }) => pid !== worker))
})

test.concurrent('TERM for the service: its spare ends, its worker lives on', async () => {
  await using run = shaped('background-session')
  const worker = await made(run, 'worker')
  const [service = 0] = run.made('service')
  process.kill(service, 'SIGTERM')
  await until('the service and a host have ended', () => run.left.join(' ') === 'host worker')
  expect(isAlive(worker)).toBe(true)
})
