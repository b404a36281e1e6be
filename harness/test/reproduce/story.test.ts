import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { Limit } from '../../limit.ts'
import { poll } from '../../poll.ts'
import type { ProcessResource } from '../../snapshot/snapshot.ts'
import { below, gone } from '../support/processes-below.ts'
import { TerminalWindow } from '../support/terminal-window.ts'

needsNamespaces()

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')
const leakrig = (...words: string[]) => [process.execPath, program, ...words].join(' ')

/** How long an ending may take, ms. A settling goes on for 5 s after the last change. */
const endsWithinMs = 4_000

/** The keys under the counts. */
const keys = /s shell {2}(?:t tmux {2})?e explain {2}c clean up {2}p what is left {2}v all of it {2}q leave/

test('a user makes a leak, looks at it, cleans it up, and leaves', { timeout: 300_000 }, async () => {
  await using terminal = new TerminalWindow()
  terminal.type(leakrig('reproduce', 'normal-completion', '--sandbox', 'namespace'))
  await terminal.shows(keys, 180_000)
  expect(terminal.text).toMatch(
    /^system none, sandbox namespace \(requested\)\n\n +baseline +peak +now\ntmux servers +0 +1 +1\ntmux sessions +0 +1 +1\n/m,
  )
  expect(terminal.text).toMatch(
    /^leaked: 24 findings of agent worker-\S+ and 3 without a known owner, seen for \S+ s:$/m,
  )
  expect(terminal.text).toMatch(/^a shell in the sandbox, from another terminal: npm run leakrig -- shell$/m)
  const known = below(terminal.pid)

  // A shell, with the sandbox's programs and folders.
  terminal.press('s')
  await terminal.shows(/\(normal-completion\) \/tmp\/work [#$]$/)
  terminal.type('tty; stty size; command -v claude leakrig; echo $HOME $TMUX_TMPDIR')
  await terminal.shows(
    /\/dev\/pts\/1\n50 100\n\/opt\/leakrig\/bin\/claude\n\/tmp\/leakrig\/bin\/leakrig\n\/tmp\/home \/tmp\/tmux\n/,
  )
  terminal.resize(90, 40)
  terminal.type('clear; until [ "$(stty size)" = "40 90" ]; do sleep 0.1; done; echo now 40 90')
  await terminal.shows(/^now 40 90$/m)
  // Ctrl-C is the shell's.
  terminal.type('echo begins; sleep 1000')
  await terminal.shows(/^begins$/m)
  terminal.press('C-c')
  await terminal.shows(/\^C\n.* [#$]$/)
  terminal.type('echo code $?')
  await terminal.shows(/^code 130$/m)
  // Its session can be attached to, and is the agent's.
  terminal.type('tmux attach')
  await terminal.shows(/^\[agent_wor.*bash\*/m)
  terminal.press('C-b', 'd')
  await terminal.shows(/\[detached \(from session agent_worker-\S+\)\]/)
  terminal.type('exit')

  // The shell was no part of the counts.
  await terminal.shows(/all processes +1 +8\n.*\n27 left\n/)
  terminal.press('e')
  await terminal.shows(/\$ leakrig explain worker-\S+\n[\s\S]*\n[^\n]*not claimed, although similar:/)

  // From another terminal.
  const env = { XDG_RUNTIME_DIR: terminal.runtime }
  const other = await execa(process.execPath, [program, 'shell', '-c', 'pwd; pgrep -c tee; exit 5'], {
    env,
    reject: false,
  })
  expect(other).toMatchObject({
    stdout: '/tmp/work\n1',
    stderr: expect.stringMatching(
      /^leakrig: in the sandbox of normal-completion \(pid \d+, started in \S+\), system none$/,
    ),
    exitCode: 5,
  })

  terminal.press('c')
  await terminal.shows(/clean: \d+ actions\n\d+ actions done\n/)
  await terminal.shows(/all processes +1 +1\nfiles +2 +(\d+) \(\d+ kept\)\n0 left\n/)
  terminal.press('p')
  await terminal.shows(/No leak: the sandbox is back at its baseline\.\nseen, not counted: lock /)
  terminal.press('q')
  await terminal.shows(
    /Nothing is left on this machine: the sandbox is gone, and so are the \d+ processes seen in it\.\n>$/,
  )
  expect(await gone(known)).toEqual([])
  expect(readdirSync(terminal.runtime)).toEqual([])
})

/** What is said at once, and at last. */
const ending = (code: number) =>
  new RegExp(
    `\\nEnding the sandbox and everything in it …\\nNothing is left on this machine: .*\\ncode ${code}\\n>$`,
  )

const ends: [string, (terminal: TerminalWindow, pid: number) => void, RegExp | undefined][] = [
  ['Ctrl-C', terminal => terminal.press('C-c'), ending(130)],
  ['SIGTERM', (_, pid) => process.kill(pid, 'SIGTERM'), ending(143)],
  ['SIGHUP', (_, pid) => process.kill(pid, 'SIGHUP'), ending(129)],
  ['SIGKILL', (_, pid) => process.kill(pid, 'SIGKILL'), /code 137\n>$/],
  ['a closed terminal', terminal => terminal.close(), undefined],
]

// The first two prove the rule; the others take half a minute each, and run each night but for one.
for (const { moment, shown, isHeld } of [
  { moment: 'while it settles', shown: /1 deployed; settle/, isHeld: false },
  { moment: 'while it is shown', shown: keys, isHeld: true },
])
  for (const [how, end, last] of ends) {
    const isLong = isHeld ? how !== 'SIGKILL' : how !== 'Ctrl-C'
    const isNightly = isLong && !(isHeld && how === 'a closed terminal')
    const tags = [...(isLong ? ['long'] : []), ...(isNightly ? ['nightly'] : [])]
    const options = { timeout: 300_000, tags }
    test(`${how} ${moment} ends everything`, options, async () => {
      await using terminal = new TerminalWindow()
      const { pid: shell } = terminal
      terminal.type(`${leakrig('reproduce', 'own-session', '--sandbox', 'namespace')}; echo code $?`)
      await terminal.shows(shown, 180_000)
      const isOfAgent = ({ comm }: ProcessResource) => comm === 'perl' || comm === 'tee'
      const known = await poll(60_000, async () => {
        const all = below(shell)
        return all.some(isOfAgent) ? all : undefined
      })
      if (!known) throw new Error(`No agent came to work:\n${terminal.text}`)
      const limit = new Limit(endsWithinMs)
      if (!isHeld) terminal.press('z', 'z', 'z')
      end(terminal, known.find(({ command }) => command.includes('reproduce own-session'))?.pid ?? 0)
      if (last) await terminal.shows(last)
      // No key was echoed into what was drawn.
      if (how !== 'a closed terminal') expect(terminal.text).not.toContain('zzz')
      expect(await gone(known)).toEqual([])
      expect(limit.isOver, `ended within ${limit.elapsed}`).toBe(false)
      // Only where no process of it could.
      if (how !== 'SIGKILL') expect(readdirSync(terminal.runtime)).toEqual([])
      // A socket that a killed one left is removed by the next command.
      const env = { XDG_RUNTIME_DIR: terminal.runtime }
      await execa(process.execPath, [program, 'shell'], { env, reject: false })
      expect(readdirSync(terminal.runtime)).toEqual([])
    })
  }

test('q leaves while it is made, too', { timeout: 300_000, tags: ['long', 'nightly'] }, async () => {
  await using terminal = new TerminalWindow()
  terminal.type(`${leakrig('reproduce', 'own-session', '--sandbox', 'namespace')}; echo code $?`)
  await terminal.shows(/1 deployed; settle/, 180_000)
  terminal.press('q')
  await terminal.shows(ending(130))
})

test('Ctrl-C ends everything, also when the process with the rig hangs', {
  timeout: 300_000,
  tags: ['long', 'nightly'],
}, async () => {
  await using terminal = new TerminalWindow()
  const { pid: shell } = terminal
  terminal.type(`${leakrig('reproduce', 'own-session', '--sandbox', 'namespace')}; echo code $?`)
  await terminal.shows(keys, 180_000)
  const known = below(shell)
  const command = known.find(one => one.command.includes('reproduce own-session'))
  for (const { pid, ppid } of known) if (ppid === command?.pid) process.kill(pid, 'SIGSTOP')
  terminal.press('C-c')
  await terminal.shows(ending(130))
  expect(await gone(known)).toEqual([])
  expect(readdirSync(terminal.runtime)).toEqual([])
})
