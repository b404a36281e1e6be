import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { newSession } from '../../orchestrator/tmux.ts'

let base: string
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'leakrig-hostile-')))
  vi.stubEnv('TMUX_TMPDIR', base)
  vi.stubEnv('HOME', base)
})
afterEach(async () => {
  await execa('tmux', ['kill-server'], { reject: false })
  vi.unstubAllEnvs()
  rmSync(base, { recursive: true })
})

/** Names of folders in which tmux, a shell or tmux's own command line would see more than a name. */
const NAMES = [
  'x#(touch pwned)',
  'x##(touch pwned)',
  '#{pid}',
  '#[fg=red]##[x',
  '%H#H#S',
  '$(touch pwned)',
  '`touch pwned`',
  'x;',
  'x\\;',
  ';touch pwned;',
  'a\nb',
  '\u001b[31m\u202e',
  '-d',
]

test.each(NAMES)(
  'in a folder named %j a session starts there, with its variables, and nothing is run',
  async name => {
    const folder = join(base, name)
    mkdirSync(folder)
    // A server that runs already, as a user's does, expands formats with all that it knows.
    await execa('tmux', ['-f', '/dev/null', 'new-session', '-d', '-s', 'user', 'sleep 1000'], { cwd: base })
    const { pane_pid } = await newSession('agent_x', folder, { WHERE: folder }, ['sleep', '1000'])
    // tmux answers before the pane's process has entered its folder.
    await expect.poll(() => readlinkSync(`/proc/${pane_pid}/cwd`)).toBe(folder)
    // Where no locale says UTF-8, tmux prints other characters as "_" without -u.
    const { stdout } = await execa('tmux', ['-u', 'show-environment', '-t', '=agent_x:', 'WHERE'])
    expect(stdout).toBe(`WHERE=${folder}`)
    expect(readdirSync(folder)).toEqual([])
    expect(existsSync(join(base, 'pwned'))).toBe(false)
  },
)
