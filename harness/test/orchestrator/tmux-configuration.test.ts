import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { newSession } from '../../orchestrator/tmux.ts'
import { poll } from '../../poll.ts'

/* Whatever the user's tmux.conf says, a deployed session lives, and runs what it was given. */

let folder: string
let remove: () => Promise<void>
const before = { ...process.env }

beforeEach(async () => {
  const made = await temporaryFolder({ prefix: 'lr-conf-', unsafeCleanup: true })
  folder = fs.realpathSync(made.path)
  remove = made.cleanup
  Object.assign(process.env, { HOME: folder, XDG_CONFIG_HOME: folder, TMUX_TMPDIR: folder })
  delete process.env.TMUX
})
afterEach(async () => {
  tmux('kill-server')
  for (const name of ['HOME', 'XDG_CONFIG_HOME', 'TMUX_TMPDIR', 'TMUX'])
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  await remove()
})

const tmux = (...args: string[]) => spawnSync('tmux', args, { encoding: 'utf8' })
const configure = (...lines: string[]) => fs.writeFileSync(path.join(folder, '.tmux.conf'), lines.join('\n'))
const deploy = () => newSession('agent_x', folder, { MARK: 'here' }, ['sleep', '1000'])

test.each<[string, string[]]>([
  ['sessions that nobody is attached to end', ['set -g destroy-unattached on']],
  ['a server that nobody is attached to exits', ['set -s exit-unattached on']],
  ['both', ['set -g destroy-unattached on', 'set -s exit-unattached on', 'set -s exit-empty on']],
  ['a broken file', ['set -g no-such-option on', 'no-such-command', 'bind']],
  ['a command that takes a moment', ['run-shell "sleep 0.5"']],
  ['a session of the user’s own', ['new-session -d -s mine "sleep 1000"']],
  ['a hook that splits each new window', ['set-hook -g after-new-session "split-window -d cat"']],
  ['a hook that renames each new session', ['set-hook -g after-new-session "rename-session other"']],
  ['a late hook that renames each new session', ['set-hook -g session-created "rename-session other"']],
  [
    'hooks on panes and clients',
    ['set-hook -g pane-exited "kill-server"', 'set-hook -g client-attached "kill-server"'],
  ],
  ['another shell and command', ['set -g default-shell /bin/false', 'set -g default-command "exit 1"']],
  ['other numbers', ['set -g base-index 1', 'setw -g pane-base-index 1', 'set -g renumber-windows on']],
  ['other names', ['setw -g automatic-rename on', 'setw -g allow-rename on', 'set -g set-titles on']],
  ['dead panes stay', ['setw -g remain-on-exit on', 'set -g detach-on-destroy off']],
  [
    'another environment',
    ['set -g update-environment "MARK"', 'set-environment -g MARK theirs', 'set-environment -gr PATH'],
  ],
  [
    'the look',
    [
      'set -g status off',
      'set -g mouse on',
      'setw -g aggressive-resize on',
      'set -g window-size smallest',
      'set -g history-limit 0',
      'set -g default-terminal nonsense',
      'unbind C-b',
      'set -g prefix None',
    ],
  ],
])('%s', async (_, lines) => {
  configure(...lines)
  const { session_id, pane_pid } = await deploy()
  const sessions = () => tmux('list-sessions', '-F', '#{session_id}').stdout.split('\n')
  // tmux looks for what it has to close after each client.
  for (let round = 0; round < 5; round++) expect(sessions()).toContain(session_id)
  // Until it has replaced itself, the pane's process is a copy of the tmux server.
  const name = await poll(
    5_000,
    async () => fs.readFileSync(`/proc/${pane_pid}/comm`, 'utf8') === 'sleep\n' || undefined,
  )
  expect(name).toBe(true)
  const environment = fs.readFileSync(`/proc/${pane_pid}/environ`, 'utf8').split('\0')
  expect(environment).toContain('MARK=here')
})

test('a server that exits with the user who is attached to it is refused in one sentence, and left as it is', async () => {
  configure()
  tmux('new-session', '-d', '-s', 'mine', 'sleep 1000')
  const client = spawn('script', ['-qc', 'tmux attach', '/dev/null'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, TERM: 'xterm' },
  })
  await poll(10_000, async () => tmux('list-clients').stdout !== '' || undefined)
  tmux('set-option', '-s', 'exit-unattached', 'on')
  await expect(deploy()).rejects.toThrow(
    /has the option exit-unattached, .* "tmux set-option -s exit-unattached off"/,
  )
  expect(tmux('list-sessions', '-F', '#{session_name}').stdout).toBe('mine\n')
  expect(tmux('show-options', '-sv', 'exit-unattached').stdout).toBe('on\n')
  client.kill()
})
