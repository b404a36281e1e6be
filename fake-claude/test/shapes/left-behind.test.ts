import { test, vi } from 'vitest'
import { Pane } from '../support/pane.ts'
import { stormOf } from '../support/traces.ts'
import { until } from '../support/until.ts'

vi.setConfig({ maxConcurrency: 4 })

// The roles that are left once the session is gone: after `tmux kill-session`, after TERM for claude, and after KILL for
// claude. Cases with a profile are for a version of claude that differs.
const table: [string, { hangUp: string; term?: string; kill?: string }][] = [
  ['own-session', { hangUp: 'child' }],
  ['hup-ignored', { hangUp: 'child' }],
  ['daemon', { hangUp: 'child' }],
  ['bare-daemon', { hangUp: 'child' }],
  ['path-daemon', { hangUp: 'child' }],
  ['subreaper', { hangUp: 'child main subreaper' }],
  ['live-parent', { hangUp: 'child parent' }],
  ['job-control', { hangUp: 'child' }],
  // SIGHUP ends the processes in the pane's group that do not ignore it.
  ['term-ignored', { hangUp: '' }],
  // The kernel sends CONT to stopped processes when the terminal hangs up, not when the pane's shell ends by itself.
  ['stopped', { hangUp: '', term: 'child', kill: 'child' }],
  ['hup-ignored+stopped', { hangUp: 'child' }],
  ['own-session+stopped+zombies', { hangUp: 'child' }],
  ['own-session+busy', { hangUp: 'child' }],
  ['own-session+descriptors+renamed', { hangUp: 'child' }],
  ['mcp-launcher', { hangUp: 'server' }],
  ['nested-server', { hangUp: 'pane server' }],
  ['respawn', { hangUp: 'supervisor worker' }],
  ['pty', { hangUp: 'holder' }],
  ['tmux-job', { hangUp: 'job' }],
  ['tmux-guest', { hangUp: 'job pane' }],
  ['background-session', { hangUp: 'host host service worker' }],
]

const endings = {
  hangUp: (pane: Pane) => pane.killSession(),
  term: (pane: Pane) => pane.signal('SIGTERM'),
  kill: (pane: Pane) => pane.signal('SIGKILL'),
}

async function leaves(words: string, ending: keyof typeof endings, left: string): Promise<void> {
  await using pane = new Pane(`persona=works bash=0 events=1 ${words}`)
  await pane.noted('idle')
  await endings[ending](pane)
  // Waits, because what is about to end is not left.
  let inARow = 0
  await until(`'${left}' is left and stays`, () => {
    inARow = pane.left.join(' ') === left ? inARow + 1 : 0
    return inARow === 15
  })
  // No other process is left either, except the tmux server of this test.
  if (left === '') await until('nothing else is left', () => pane.alive.length === 1)
}

for (const [profile, tags] of [
  ['current', []],
  ['mid', ['long']],
  ['legacy', ['long']],
] as const)
  for (const [shape, { hangUp }] of table)
    test.concurrent(`kill-session, ${shape}, ${profile}: leaves ${hangUp}`, { tags: [...tags] }, () =>
      leaves(`shape=${shape} profile=${profile}`, 'hangUp', hangUp),
    )

test.concurrent.for(
  table.flatMap(([shape, left]) =>
    (['term', 'kill'] as const).map(ending => [shape, ending, left[ending] ?? left.hangUp] as const),
  ),
)('%s, %s: leaves %s', ([shape, ending, left]) => leaves(`shape=${shape}`, ending, left))

test.concurrent.for(['hangUp', 'term', 'kill'] as const)('without a shape, %s: nothing', ending =>
  leaves('', ending, ''),
)

test.concurrent('kill-session, fork-storm: it goes on', async () => {
  await using pane = new Pane('persona=works bash=0 events=1 shape=fork-storm')
  await pane.noted('idle')
  await pane.killSession()
  const [first = 0] = pane.made('generation')
  const before = stormOf(first)
  await until(
    'twenty others have lived',
    () => stormOf(first).filter(pid => !before.includes(pid)).length >= 20,
  )
})
