import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dirSync } from 'tmp-promise'
import { expect, onTestFinished, test } from 'vitest'
import { executable, Run } from '../support/claude.ts'
import { Traces } from '../support/traces.ts'

/** A folder of orders, by name. */
function ordersFor(orders: Record<string, string>): string {
  const { name, removeCallback } = dirSync({ prefix: 'fake-claude', unsafeCleanup: true })
  onTestFinished(removeCallback)
  for (const [file, text] of Object.entries(orders)) writeFileSync(join(name, file), text)
  return name
}

const journalIn = (traces: Traces) => `journal=${traces.folder}/journal`

test('five claudes that start at once claim five orders, each another one', async () => {
  const names = ['e', 'd', 'c', 'b', 'a']
  const folder = ordersFor(
    Object.fromEntries(names.map(name => [name, `[[fake-claude persona=exits bash=0 task_id=${name}]]`])),
  )
  const env = { FAKE_CLAUDE_ORDERS: folder }
  await using stack = new AsyncDisposableStack()
  const runs = names.map(() => stack.use(new Run({ args: ['-p', 'Do it'], env })))
  expect(await Promise.all(runs.map(run => run.ended))).toEqual([0, 0, 0, 0, 0])
  const claims = readdirSync(folder).map(name => name.split('.claimed-'))
  expect(claims.map(([name]) => name).sort()).toEqual([...names].sort())
  expect(claims.map(([, pid]) => Number(pid)).sort()).toEqual(runs.map(run => run.pid).sort())
})

test('orders are claimed in the order of their names, and no order leaves the plain persona', async () => {
  const traces = new Traces()
  const folder = ordersFor({
    '2': `[[fake-claude persona=exits bash=0 ${journalIn(traces)}]]`,
    '1': `[[fake-claude ${journalIn(traces)}]]`,
    '.3': 'is being written',
  })
  mkdirSync(join(folder, '0'))
  const options = { args: ['-p', 'Do it'], env: { FAKE_CLAUDE_ORDERS: folder }, folder: traces.folder }
  await using first = new Run(options)
  await first.ended
  await using second = new Run(options)
  await second.ended
  await using third = new Run(options)
  expect(await third.ended).toBe(0)
  expect(third.stdout).toBe('Done.\n')
  const started = third.journal.filter(({ what }) => what === 'started')
  expect(started).toMatchObject([
    { pid: first.pid, persona: 'plain', directive: join(folder, '1') },
    { pid: second.pid, persona: 'exits', directive: join(folder, '2') },
  ])
  expect(readdirSync(folder).sort()).toEqual(
    ['.3', '0', `1.claimed-${first.pid}`, `2.claimed-${second.pid}`].sort(),
  )
})

test.for([
  [['--version'], {}],
  [['agents', '--json'], {}],
  [['-p', 'x [[fake-claude persona=plain]]'], {}],
  [['-p', 'x'], { FAKE_CLAUDE_DIRECTIVE: '[[fake-claude persona=plain]]' }],
] as [string[], Record<string, string>][])('%j with %j claims nothing', async ([args, env]) => {
  const folder = ordersFor({ '1': '[[fake-claude persona=works]]' })
  await using run = new Run({ args, env: { ...env, FAKE_CLAUDE_ORDERS: folder } })
  expect(await run.ended).toBe(0)
  expect(readdirSync(folder)).toEqual(['1'])
})

test.for([
  ['persona=exits', 'has no directive, expected [[fake-claude key=value ...]]'],
  ['[[fake-claude persona=dances]]', "has persona='dances'"],
])('an order of %j is refused by its path', async ([text = '', expected = '']) => {
  const folder = ordersFor({ '1': text })
  await using run = new Run({ args: ['-p', 'x'], env: { FAKE_CLAUDE_ORDERS: folder } })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toContain(`the order ${join(folder, '1')} ${expected}`)
  expect(run.stderr.trim().split('\n')).toHaveLength(1)
})

test('the journal begins with where claude is, and its children see nothing of the wrapper', async () => {
  await using run = new Run({ directive: 'persona=works', env: { TMUX: '/tmp/none,1,0' } })
  await run.noted('idle')
  expect(run.journal[0]).toMatchObject({
    what: 'started',
    pid: run.pid,
    ppid: process.pid,
    cwd: run.cwd,
    path: executable,
    TMUX: '/tmp/none,1,0',
    TMUX_PANE: '%7',
  })
})

test.for([
  ['echo "$CLAUDE_PID $FAKE_CLAUDE_PATH"; pwd', 0],
  ['echo no task >&2; exit 3', 3],
] as [string, number][])('on-start runs %j before the first step', async ([script, code]) => {
  const folder = ordersFor({ script: script })
  const path = join(folder, 'script')
  await using run = new Run({ directive: `persona=exits bash=0 on-start=${path}` })
  expect(await run.ended).toBe(0)
  const output = code === 0 ? `${run.pid} \n${run.cwd}\n` : 'no task\n'
  expect(await run.noted('on-start')).toMatchObject({ path, code, output })
  expect(run.order.slice(0, 3)).toEqual(['system/init', 'assistant', 'user'])
  expect(run.lines[2]?.message.content[0]).toMatchObject({ content: output, is_error: code !== 0 })
  const complaint = `fake-claude: the script ${path} (on-start) ended with 3: no task\n`
  expect(run.stderr).toBe(code === 0 ? '' : complaint)
})
