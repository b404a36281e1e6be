import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { poll } from '../../poll.ts'
import type { ProcessResource } from '../../snapshot/snapshot.ts'
import { below, gone } from '../support/processes-below.ts'

needsNamespaces()

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')

const reproduce = (...words: string[]) =>
  execa(process.execPath, [program, 'reproduce', ...words, '--sandbox', 'namespace'], { reject: false })

test('--then runs a command in the sandbox, and its exit code is handed on', {
  timeout: 300_000,
}, async () => {
  const command = 'pgrep -c perl; leakrig sweep --apply --min-age 0s >&2; pgrep -c perl; exit 7'
  const { stdout, stderr, exitCode } = await reproduce('own-session', '--then', command)
  // Its output alone can be captured.
  expect(stdout).toBe('1\n0')
  expect(stderr).toMatch(/^leakrig: own-session: .*\nsystem none, [\s\S]*\nleaked: /)
  expect(stderr.slice(stderr.indexOf('\n$ pgrep'))).toMatch(
    /^\n\$ pgrep [\s\S]* {4}clean: \d+ actions\n6 actions done\n\nEnding the sandbox and everything in it …\nNothing is left on this machine: the sandbox is gone, and so are the \d+ processes seen in it\.$/,
  )
  expect(exitCode).toBe(7)
})

// The first proves the rule.
for (const [what, isIt] of [
  ['the guard', ({ command }) => / guard /.test(command)],
  ['unshare', ({ comm }) => comm === 'unshare'],
  ['process 1', ({ command }) => / build /.test(command)],
  ['the probe', ({ command }) => /probe\.mjs$/.test(command)],
] as [string, (one: ProcessResource) => boolean][])
  test(`${what} is killed from outside: one sentence`, {
    timeout: 300_000,
    tags: what === 'the guard' ? [] : ['long', 'nightly'],
  }, async () => {
    const running = reproduce('own-session', '--then', 'sleep 1000')
    let said = ''
    running.stderr.on('data', chunk => {
      said += chunk
    })
    await poll(180_000, async () => said.includes('$ sleep 1000') || undefined)
    const known = below(running.pid ?? 0)
    process.kill(known.find(isIt)?.pid ?? 0, 'SIGKILL')
    const { stdout, stderr, exitCode } = await running
    expect(stderr).toMatch(
      /\nNothing is left on this machine: .*\nleakrig: The sandbox (ended: killed with SIGKILL|has ended before you left it: ).*$/,
    )
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 3 })
    expect(await gone(known)).toEqual([])
  })

test('an orchestrator of somebody else, and one that cleans up', { timeout: 300_000 }, async () => {
  const config = join(projectRoot, 'examples/shell/leakrig.config.ts')
  const [theirs, ours] = await Promise.all([
    reproduce('own-session', '--config', config),
    reproduce('own-session', '--system', 'hybrid'),
  ])
  expect(theirs.stdout).toMatch(/^system shell, sandbox namespace \(requested\)\n/m)
  expect(theirs.stdout).toMatch(/^ +1 process +orphaned, in a session of its own: /m)
  expect(ours.stdout).toMatch(/\nNo leak: the sandbox is back at its baseline\.\n/)
  expect([theirs.exitCode, ours.exitCode]).toEqual([0, 0])
})

test('what the system does not declare cannot be reproduced', { timeout: 300_000 }, async () => {
  const config = join(projectRoot, 'examples/shell/leakrig.config.ts')
  const { stderr, exitCode } = await reproduce('own-session × completes from outside', '--config', config)
  expect(stderr).toBe('leakrig: left out: the system shell declares no completes.outside')
  expect(exitCode).toBe(3)
})

const long = { tags: ['long', 'nightly'], timeout: 600_000 }
test('an agent that never comes to work is shown as far as it came', long, async () => {
  const { stdout, exitCode } = await reproduce(
    'tmux-job',
    '--config',
    join(projectRoot, 'examples/module/leakrig.config.ts'),
  )
  expect(stdout).toContain(
    'the shape tmux-job needs the tmux server that claude runs in, and TMUX is not set',
  )
  expect(exitCode).toBe(3)
})
