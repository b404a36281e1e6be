import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { poll } from '../../poll.ts'
import { shellWord } from '../../terminal.ts'

needsNamespaces()

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lr-live-'))
})
afterAll(() => {
  tmux('kill-server')
  rmSync(folder, { recursive: true })
})

const tmux = (...args: string[]) =>
  execFileSync('tmux', ['-S', join(folder, 's'), '-f', '/dev/null', ...args], { encoding: 'utf8' })

test('on a terminal the scenarios that run are listed with their counts, and are gone at the end', {
  timeout: 180_000,
}, async () => {
  const words = [process.execPath, program, 'scenarios', '2-manual-kill', '--sandbox', 'namespace']
  const command = `env -u CI TERM=screen ${words.map(shellWord).join(' ')}; echo exit $?; exec sleep 1000`
  tmux('new-session', '-d', '-x', '80', '-y', '24', command)
  const screens = new Set<string>()
  const last = await poll(150_000, async () => {
    const screen = tmux('capture-pane', '-p').trimEnd()
    screens.add(screen)
    return screen.includes('exit ') ? screen : undefined
  })
  // A claude that was not there at the baseline, and files that came.
  const live =
    /^… manual kill in the middle of the work {2}\d+ s {2}\S.*\n {4}sessions 0→1 · claude 0→1 · processes 2→\d+ · files /m
  expect([...screens].filter(screen => live.test(screen))).not.toEqual([])
  expect(last).toMatch(/^✓ back in .*manual kill/m)
  expect(last).not.toContain('…')
})
