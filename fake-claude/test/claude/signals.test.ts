import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dirSync } from 'tmp-promise'
import { expect, test, vi } from 'vitest'
import { Run } from '../support/claude.ts'
import { inSession, isAlive } from '../support/proc.ts'
import { until } from '../support/until.ts'

// These tests mostly wait for timers.
vi.setConfig({ maxConcurrency: 12 })

interface Case {
  profile: string
  signal: NodeJS.Signals
  ends: number | NodeJS.Signals
  least: number
  bash: 'ends' | 'leaks'
  stubborn: 'ends' | 'leaks'
  files: 'removed' | 'left'
}

const table: Case[] = [
  {
    profile: 'current',
    signal: 'SIGTERM',
    ends: 143,
    least: 1450,
    bash: 'ends',
    stubborn: 'ends',
    files: 'removed',
  },
  {
    profile: 'current',
    signal: 'SIGHUP',
    ends: 129,
    least: 1950,
    bash: 'ends',
    stubborn: 'ends',
    files: 'removed',
  },
  {
    profile: 'current',
    signal: 'SIGINT',
    ends: 0,
    least: 1450,
    bash: 'ends',
    stubborn: 'ends',
    files: 'removed',
  },
  {
    profile: 'current',
    signal: 'SIGKILL',
    ends: 'SIGKILL',
    least: 0,
    bash: 'leaks',
    stubborn: 'leaks',
    files: 'left',
  },
  {
    profile: 'mid',
    signal: 'SIGTERM',
    ends: 143,
    least: 450,
    bash: 'leaks',
    stubborn: 'ends',
    files: 'removed',
  },
  {
    profile: 'mid',
    signal: 'SIGHUP',
    ends: 129,
    least: 450,
    bash: 'leaks',
    stubborn: 'ends',
    files: 'removed',
  },
  {
    profile: 'legacy',
    signal: 'SIGTERM',
    ends: 143,
    least: 1950,
    bash: 'leaks',
    stubborn: 'leaks',
    files: 'removed',
  },
  {
    profile: 'legacy',
    signal: 'SIGHUP',
    ends: 'SIGHUP',
    least: 0,
    bash: 'leaks',
    stubborn: 'leaks',
    files: 'left',
  },
  { profile: 'legacy', signal: 'SIGINT', ends: 0, least: 0, bash: 'leaks', stubborn: 'leaks', files: 'left' },
]

// Each case runs twice: while Node waits at the gate, and while claude is idle, where a shell has to do the same.
const states = [
  ['Node', 'persona=crashes gate=/tmp/never-made-by-fake-claude'],
  ['idle', 'persona=works'],
] as const

async function reached(run: Run, state: string): Promise<void> {
  if (state === 'idle') await run.noted('idle')
  else await until('the Bash tool is told', () => run.order.at(-1) === 'system/task_started')
}

const cases = states.flatMap(([state, directive]) => table.map(one => ({ state, directive, ...one })))

test.concurrent.for(cases)('$profile, $state: $signal', async one => {
  const { profile, signal, ends, least, directive, state } = one
  await using run = new Run({
    directive: `${directive} profile=${profile}`,
    mcp: { rig: 'stubborn' },
  })
  await reached(run, state)
  const [leader = 0] = run.children('bash')
  const [stubborn = 0] = run.children('mcp')
  await until('the Bash tool has its command', () => inSession(leader).length === 2)

  const start = performance.now()
  expect(await run.signal(signal)).toBe(ends)
  const lasted = performance.now() - start
  expect(lasted).toBeGreaterThan(least)
  if (one.bash === 'leaks') expect(inSession(leader)).toHaveLength(2)
  else await until('the Bash tool has ended', () => inSession(leader).length === 0)
  if (one.stubborn === 'leaks') expect(isAlive(stubborn)).toBe(true)
  else await until('the stubborn MCP server died of SIGKILL', () => !isAlive(stubborn))
  expect(run.temporaryFiles().length > 0).toBe(one.files === 'left')
  if (one.stubborn === 'ends')
    expect(readFileSync(join(run.cwd, 'signals'), 'utf8')).toBe('SIGINT\nSIGTERM\n')

  const last = run.order.at(-1)
  if (profile === 'current' && signal === 'SIGINT') expect(last).toBe('result/error_during_execution')
  else if (profile === 'current' && signal !== 'SIGKILL') expect(run.stdout).toContain('Exit code 137')
  else expect(last).toBe('system/task_started')
  if (typeof ends === 'number') expect(run.journal.at(-1)).toMatchObject({ what: 'ended', code: ends })
})

test.concurrent.for(states)('a tree that ignores SIGTERM gets SIGKILL, as %s', async ([state, directive]) => {
  // Every bash sources this file before its command, so that it and its descendants ignore SIGTERM.
  const folder = dirSync({ prefix: 'fake-claude' }).name
  writeFileSync(join(folder, 'env'), "trap '' TERM\n")
  const env = { BASH_ENV: join(folder, 'env') }
  await using run = new Run({ directive: `${directive} depth=3`, folder, env })
  await reached(run, state)
  const [leader = 0] = run.children('bash')
  await until('the tree is there', () => inSession(leader).length === 4)
  expect(await run.signal('SIGTERM')).toBe(143)
  await until('it has ended', () => inSession(leader).length === 0)
})

test.concurrent('a second signal changes nothing', async () => {
  await using run = new Run({ directive: 'persona=works' })
  await run.noted('idle')
  run.process.kill('SIGHUP')
  await run.noted('signal')
  run.process.kill('SIGTERM')
  run.process.kill('SIGINT')
  expect(await run.ended).toBe(129)
})

test.concurrent('with nothing running it ends at once', async () => {
  await using run = new Run({ directive: 'persona=works bash=0' })
  await run.noted('idle')
  expect(await run.signal('SIGHUP')).toBe(129)
  const at = (what: string) => run.journal.find(entry => entry.what === what)?.t ?? Number.NaN
  // With a Bash tool it would have to wait for that long, see above.
  expect(at('ended') - at('signal')).toBeLessThan(1950)
})

test.concurrent.for([
  ['legacy', 1950],
  ['mid', 4950],
] as const)('%s ends a background task some time after the result', async ([profile, least]) => {
  await using run = new Run({ directive: `persona=completes profile=${profile}`, mcp: { rig: '' } })
  const { t } = await run.noted('idle')
  expect(await run.ended).toBe(0)
  const ended = run.journal.at(-1)
  expect(ended).toMatchObject({ what: 'ended', code: 0 })
  expect((ended?.t ?? 0) - t).toBeGreaterThan(least)
  await until('the task has ended', () => inSession(run.children('bash')[0] ?? 0).length === 0)
  expect(run.order.at(-1)).toBe('result/success')
})
