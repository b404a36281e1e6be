import { expect, test } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { failing, HeldReproduction } from '../support/held-reproduction.ts'

needsNamespaces()

/** Every command of harness/verdict/ is shown by one of these at least. */
for (const [name, programs, isLong = true] of [
  ['nested-server+descriptors', ['cat', 'ls', 'ps', 'tmux'], false],
  // A claude that lives: sockets, panes, registries, terminals.
  ['zombies', ['cat', 'ls', 'ps', 'tmux']],
  ['pty+temp-files', ['cat', 'ls', 'ps']],
  ['background-session', ['cat', 'ls', 'ps']],
  ['crash-server', ['cat', 'ls']],
] as [string, string[], boolean?][])
  test(`every command that the findings of ${name} show works in the sandbox`, {
    timeout: 600_000,
    tags: isLong ? ['long', 'nightly'] : [],
  }, async () => {
    await using held = await HeldReproduction.of(name, 'namespace')
    const { shown } = held
    expect([...new Set(shown.map(words => words.split(' ')[0] ?? ''))].sort()).toEqual(programs)
    expect(await failing(shown, held)).toBe('')
    // What the hints show.
    const [agent = ''] = /worker-\d+-\w+/.exec(held.text) ?? []
    const pids = (await held.inside('pgrep -x "perl|claude"; true')).split('\n').filter(Boolean)
    const own = pids.flatMap(pid => [`ps -fp ${pid}`, `leakrig explain ${pid}`])
    expect(await failing([...own, `leakrig explain ${agent}`, 'leakrig status', 'leakrig sweep'], held)).toBe(
      '',
    )
  })

test('the command that a sweep shows for a session that it leaves alone ends it there', {
  timeout: 600_000,
  tags: ['long', 'nightly'],
}, async () => {
  await using held = await HeldReproduction.of('tmux-guest', 'namespace')
  const swept = await held.inside('leakrig sweep --apply --min-age 0s')
  const [, command = ''] = /"(tmux -S \S+ kill-session -t '\S+')" ends it/.exec(swept) ?? []
  const count = 'tmux list-sessions 2>/dev/null | wc -l'
  expect(await held.inside(`${count}; ${command}; ${count}`)).toBe('1\n0')
})
