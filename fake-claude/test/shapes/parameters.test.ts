import { expect, test, vi } from 'vitest'
import { Run } from '../support/claude.ts'
import { answersTo, environment, facts, isAlive } from '../support/proc.ts'
import { made, shaped } from '../support/shaped.ts'
import { until } from '../support/until.ts'

vi.setConfig({ maxConcurrency: 6 })

test.concurrent('children=N: so many, each with its tree', async () => {
  await using run = shaped('own-session+hup-ignored+stopped children=7 depth=2')
  await run.noted('idle')
  const children = run.made('child')
  expect(new Set(children).size).toBe(7)
  expect(children.map(pid => facts(pid)?.state)).toEqual(Array(7).fill('T'))
  expect(run.made('tree')).toHaveLength(14)
})

test.concurrent('programs, place and behaviours side by side', async () => {
  await using run = shaped('daemon+term-ignored+respawn+pty+mcp-launcher')
  await run.noted('idle')
  const roles = ['child', 'holder', 'launcher', 'server', 'supervisor', 'worker', 'wrapper']
  await until('all of it lives', () => run.left.join() === roles.join())
  const shapes = new Set(run.journal.filter(({ what }) => what === 'shape').map(({ shape }) => shape))
  expect([...shapes].sort()).toEqual(['daemon+term-ignored', 'mcp-launcher', 'pty', 'respawn'])
})

test.concurrent.for(['own-session', 'hup-ignored', 'daemon', 'job-control', 'pty'])(
  'after_ms: until then %s only waits, with the agent’s environment',
  async words => {
    await using run = shaped(`${words} after_ms=60000`)
    const waiting = await made(run, 'waiting')
    expect(facts(waiting)?.comm).toBe('perl')
    expect(answersTo(waiting, 'SIGHUP')).toBe('default')
    expect(environment(waiting)).toMatchObject({ HOME: run.home, TMUX_PANE: '%7' })
    expect(run.journal.filter(({ what }) => what === 'late')).toEqual([])
  },
)

test.concurrent.for(['own-session+stopped', 'hup-ignored+stopped', 'job-control+stopped'])(
  'after_ms: then %s behaves as its shape says',
  async words => {
    await using run = shaped(`${words} after_ms=700`)
    const { t } = await run.noted('started')
    const late = await run.noted('late')
    expect(late).toMatchObject({ shape: words, role: 'child' })
    expect(late.t - t).toBeGreaterThan(680)
    await until('it has stopped', () => facts(late.pid as number)?.state === 'T')
  },
)

test.concurrent('after_ms for files: they come later', async () => {
  await using run = shaped('temp-files after_ms=1000')
  await made(run, 'waiting')
  const late = await until('the team is there', () => run.journal.find(({ role }) => role === 'files'))
  expect(late).toMatchObject({ what: 'late', path: `${run.home}/.claude/teams/swarm-${run.pid}` })
})

test.concurrent('after_ms for an MCP server: until then it ends with its client', async () => {
  await using run = shaped('mcp-launcher after_ms=60000')
  const server = await made(run, 'server')
  expect(answersTo(server, 'SIGHUP')).toBe('default')
  await run.signal('SIGKILL')
  await until('it has left at the end of its stdin', () => !isAlive(server))
})

test.concurrent('after_ms for an MCP server: then it does not', async () => {
  await using run = shaped('mcp-launcher after_ms=500')
  const server = await made(run, 'server')
  await until('it has become stubborn', () => answersTo(server, 'SIGHUP') === 'ignored')
})

test.concurrent.for(['SIGTERM', 'SIGHUP'] as const)(
  'resist_ms: %s ends it, some time later',
  async signal => {
    await using run = shaped('own-session+hup-ignored+term-ignored resist_ms=700')
    const child = await made(run, 'child')
    const start = performance.now()
    process.kill(child, signal)
    await until('it has given in', () => !isAlive(child))
    // The kernel's uptime counts in hundredths.
    expect(performance.now() - start).toBeGreaterThan(670)
  },
)

test.concurrent('resist_ms: a busy process ends too', async () => {
  await using run = shaped('own-session+busy+term-ignored resist_ms=300')
  const child = await made(run, 'child')
  process.kill(child, 'SIGTERM')
  await until('it has given in', () => !isAlive(child))
})

test.concurrent('resist_ms: a supervisor that ends takes its worker with it', async () => {
  await using run = shaped('respawn resist_ms=300')
  const supervisor = await made(run, 'supervisor')
  process.kill(supervisor, 'SIGTERM')
  await until('both are gone', () => run.left.length === 0 && !isAlive(supervisor))
  // claude's own nudge may still run for a moment.
  await until('nothing but claude lives', () => run.alive.join() === String(run.pid))
})

test.concurrent.for(['completes', 'exits', 'crashes', 'idles', 'talks'])(
  '%s has its shape before it waits',
  async persona => {
    const gate = '/tmp/never-made-by-fake-claude'
    await using run = new Run({ directive: `persona=${persona} bash=0 shape=daemon gate=${gate}` })
    await run.noted('waiting')
    const whats = run.journal.map(({ what }) => what)
    expect(whats.indexOf('shape')).toBeGreaterThan(0)
    expect(whats.indexOf('shape')).toBeLessThan(whats.indexOf('waiting'))
    await until('the child lives', () => run.left.join() === 'child')
  },
)

test.concurrent('a shape for the persona exits: claude exits with 0, the child stays', async () => {
  await using run = new Run({ directive: 'persona=exits shape=daemon' })
  expect(await run.ended).toBe(0)
  await until('the child lives', () => run.left.join() === 'child')
  // The files that claude and the scripts shared are gone too.
  expect(run.temporaryFiles()).toEqual([])
})
