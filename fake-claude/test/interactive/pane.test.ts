import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { facts, inSession } from '../support/proc.ts'
import { Terminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'

const prompts = (terminal: Terminal) => terminal.journal.filter(({ what }) => what === 'started')

/** The words of a directive, with the journal of that terminal. */
const directive = (terminal: Terminal, words: string) =>
  `[[fake-claude journal=${terminal.folder}/journal ${words}]]`

test.concurrent('it is the pane’s process, waits at a prompt, and plays what is typed', async () => {
  await using terminal = new Terminal()
  await terminal.ready()
  expect(terminal.screen).toContain('Welcome to Claude Code v2.1.330')
  const { pid, sid, comm } = terminal.claude ?? {}
  expect({ sid, comm }).toEqual({ sid: pid, comm: 'claude' })
  // A lone Enter submits nothing, and C-u clears what was typed.
  terminal.keys('Enter')
  terminal.keys('-l', 'something else')
  await terminal.shows('❯ something else')
  terminal.keys('C-u')
  await terminal.ready()
  terminal.keys('-l', directive(terminal, 'persona=works'))
  terminal.keys('Enter')
  const [bash = 0] = await until(
    'its tool runs',
    () => terminal.children('bash').length > 0 && terminal.children('bash'),
  )
  await terminal.shows('● Bash(sleep 86400)')
  await terminal.shows('esc to interrupt')
  const pane = terminal.tmux('display-message', '-p', '-t', 'agent', '#{pane_id}').trim()
  expect(prompts(terminal)).toMatchObject([{ pid, persona: 'works', directive: 'prompt', TMUX_PANE: pane }])
  terminal.keys('Escape')
  await terminal.ready()
  expect(inSession(bash)).toEqual([])
  expect(terminal.screen).toContain('Request interrupted by user')
  terminal.keys('-l', 'and now?')
  terminal.keys('Enter')
  await terminal.shows('● Done.')
})

test.concurrent.for([
  ['as it is', []],
  ['in brackets', ['-p']],
  ['with line feeds', ['-r']],
] as [string, string[]][])('pasted text is one prompt: %s', async ([, options]) => {
  await using terminal = new Terminal()
  await terminal.ready()
  const filler = Array.from(
    { length: 120 },
    (_, at) => `Line ${at} of a prompt that is longer than a terminal passes on.`,
  )
  const first = directive(terminal, 'persona=completes bash=0 events=1')
  terminal.paste([first, ...filler, 'The last line'].join('\n'), ...options)
  await terminal.shows('The last line')
  expect(prompts(terminal)).toEqual([])
  terminal.keys('Enter')
  await terminal.noted('idle')
  expect(prompts(terminal)).toHaveLength(1)
  await terminal.ready()
})

test.concurrent('a prompt in the arguments is submitted at once', async () => {
  await using terminal = new Terminal({ args: ['Do it'] })
  await terminal.shows('● Done.')
  await terminal.ready()
})

test.concurrent('an order is claimed by the first prompt', async () => {
  await using first = new Terminal()
  const orders = join(first.folder, 'orders')
  mkdirSync(orders)
  writeFileSync(join(orders, '1'), directive(first, 'persona=idles events=1'))
  writeFileSync(join(orders, '2'), directive(first, 'persona=idles events=1'))
  await using terminal = new Terminal({ args: ['Do it'], env: { FAKE_CLAUDE_ORDERS: orders } })
  const started = await first.noted('started')
  expect(started).toMatchObject({ pid: terminal.pid, directive: join(orders, '1') })
  await terminal.shows('● Done.')
  terminal.keys('-l', 'again')
  terminal.keys('Enter')
  await until('the second answer is there', () => terminal.screen.split('● Done.').length === 3)
  expect(readdirSync(orders).sort()).toEqual([`1.claimed-${terminal.pid}`, '2'])
})

test.concurrent.for([
  ['/exit', ['/exit', 'Enter'], 0],
  ['/quit', ['/quit', 'Enter'], 0],
  ['C-d', ['C-d'], 0],
  ['C-c twice', ['C-c', 'C-c'], 0],
] as [string, string[], number][])('%s ends it, with its tools and files', async ([, keys, code]) => {
  await using terminal = new Terminal()
  await terminal.ready()
  terminal.keys('-l', directive(terminal, 'persona=completes'))
  terminal.keys('Enter')
  await terminal.shows('● Done.')
  await terminal.ready()
  terminal.keys(...keys)
  expect(await terminal.exitCode()).toBe(code)
  const others = () => terminal.alive.filter(pid => !facts(pid)?.comm.startsWith('tmux'))
  await until('nothing of it runs', () => others().length === 0)
  expect(terminal.temporaryFiles().filter(file => !file.endsWith('.output'))).toEqual([])
})

test.concurrent('C-c once clears the line and does not end it', async () => {
  await using terminal = new Terminal()
  await terminal.ready()
  terminal.keys('-l', 'something')
  terminal.keys('C-c')
  await terminal.shows('Press Ctrl-C again to exit')
  expect(terminal.screen).not.toContain('something')
  expect(terminal.claude?.comm).toBe('claude')
})

test.concurrent.for([
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as [NodeJS.Signals, number][])('%s ends it with %i, and its tools', async ([signal, code]) => {
  await using terminal = new Terminal()
  await terminal.ready()
  terminal.keys('-l', directive(terminal, 'persona=works'))
  terminal.keys('Enter')
  await terminal.noted('idle')
  process.kill(terminal.pid, signal)
  expect(await terminal.exitCode()).toBe(code)
  expect(await terminal.noted('ended')).toMatchObject({ code })
  expect(inSession(terminal.children('bash')[0] ?? 0)).toEqual([])
})

test.concurrent('kill-session: it exits with 0, and nothing of it stays', async () => {
  await using terminal = new Terminal({ args: ['Do it'] })
  await terminal.ready()
  terminal.keys('-l', directive(terminal, 'persona=works'))
  terminal.keys('Enter')
  await terminal.noted('idle')
  await terminal.killSession()
  expect(await terminal.noted('ended')).toMatchObject({ code: 0 })
  expect(inSession(terminal.children('bash')[0] ?? 0)).toEqual([])
  expect(terminal.temporaryFiles()).toEqual([])
})
