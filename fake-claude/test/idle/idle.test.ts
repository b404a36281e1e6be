import { readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { Run } from '../support/claude.ts'
import { childrenOf, facts, inSession, isAlive, status } from '../support/proc.ts'
import { until } from '../support/until.ts'

vi.setConfig({ maxConcurrency: 10 })

const kilobytes = (pid: number) => Number.parseInt(status(pid, 'VmRSS'), 10)

test.concurrent.for(['persona=works', 'persona=completes bash=5 events=200'])(
  'takes less than 2 MB and no time: %s',
  async directive => {
    await using run = new Run({ directive, mcp: { one: '', two: '' } })
    await run.noted('idle')
    const switches = () => status(run.pid, 'voluntary_ctxt_switches')
    const own = [...run.children('mcp'), ...run.children('bash')]
    await until('guard and nudge have gone', () => childrenOf(run.pid).every(({ pid }) => own.includes(pid)))
    let before = ''
    await until('it sleeps, also at a second look', () => {
      const last = before
      before = switches()
      return facts(run.pid)?.state === 'S' && before === last
    })
    await sleep(300)
    expect(switches()).toBe(before)
    expect(kilobytes(run.pid)).toBeLessThan(2048)
    expect(status(run.pid, 'Threads')).toBe('1')
  },
)

test.concurrent('keeps stdout and stderr, and the MCP servers connected', async () => {
  await using run = new Run({ directive: 'persona=works', mcp: { one: '', two: '', three: '' } })
  await run.noted('idle')
  expect(readlinkSync(`/proc/${run.pid}/fd/1`)).toMatch(/^(pipe|socket):/)
  const servers = run.children('mcp')
  await sleep(100)
  expect(servers.filter(isAlive)).toHaveLength(3)
  // Only claude holds their pipes: when it ends, they read the end of their stdin.
  expect(await run.signal('SIGKILL')).toBe('SIGKILL')
  await until('they have left', () => !servers.some(isAlive))
})

test.concurrent('a server that dies leaves no zombie', async () => {
  await using run = new Run({ directive: 'persona=works', mcp: { one: '' } })
  await run.noted('idle')
  const [server = 0] = run.children('mcp')
  process.kill(server, 'SIGKILL')
  await until('it was collected', () => facts(server) === undefined)
  expect(isAlive(run.pid)).toBe(true)
})

// In the milliseconds between Node and the shell a signal has the kernel's default effect on claude, and the guard then ends
// its children and removes its files. Each run sends the signal at another moment around the switch.
test.concurrent.for([0, 3, 6, 9, 12])('a signal %s ms into going idle', async delay => {
  await using run = new Run({ directive: 'persona=works' })
  await until('the last line before it', () => run.order.at(-1) === 'system/task_started')
  await sleep(delay)
  const end = await run.signal('SIGTERM')
  expect([143, 'SIGTERM']).toContain(end)
  await run.noted('ended')
  await until('its tool has ended', () => inSession(run.children('bash')[0] ?? 0).length === 0)
  expect(run.temporaryFiles()).toEqual([])
})
