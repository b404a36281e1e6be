import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { updateAgent } from '../../orchestrator.ts'
import { readProcess } from '../../platform/processes/table.ts'
import { Rig, readText } from '../support/rig.ts'
import { commandWords, RunningCommand } from '../support/run-command.ts'
import { until } from '../support/until.ts'

const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const words = () => commandWords('status', '--watch', '--interval', '0.1', rig.workspace)

/** How many tmux clients talk to a socket just now. */
const clients = (socket: string): number =>
  fs
    .readdirSync('/proc')
    .filter(pid => readText(`/proc/${pid}/cmdline`).includes(`${socket}\0display-message`)).length

describe('on a terminal', () => {
  // A real one: a pane of tmux, which also keeps what was on its first page.
  const open = (...size: string[]) => {
    const command = `stty -a > ${rig.folder}/before; echo first page; ${words().join(' ')}; echo "rc $?"; stty -a > ${rig.folder}/after; sleep 1000`
    rig.tmux('new-session', '-d', '-s', 'watch', ...size, `bash -c '${command}'`)
    rig.tmux('pipe-pane', '-t', '=watch:', `cat > ${rig.folder}/raw`)
  }
  const screen = () => rig.tmux('capture-pane', '-p', '-t', '=watch:')
  const shows = (text: RegExp) => until(`the screen shows ${text}`, () => text.test(screen()))

  test.each(['q', 'C-c'])('it redraws without ever clearing, and %s brings everything back', async key => {
    const ref = await rig.deploy('a', { claude: idle })
    open('-x', '120', '-y', '30')
    await shows(/TASK-1\/a +running/)
    expect(screen()).not.toContain('first page')
    await updateAgent(ref, entry => {
      entry.status = 'thinking'
    })
    await shows(/TASK-1\/a +thinking/)
    expect(screen()).not.toContain('running')
    // A line that became shorter leaves nothing of the longer one.
    await updateAgent(ref, entry => {
      entry.status = 'ok'
    })
    await shows(/TASK-1\/a +ok /)
    expect(screen()).toMatch(/ CLEANUP$/m)
    rig.tmux('send-keys', '-t', '=watch:', key)
    await shows(/rc 0/)
    expect(screen()).toContain('first page')
    expect(screen()).not.toContain('TASK-1')
    await until('stty has looked', () => readText(`${rig.folder}/after`) !== '')
    expect(readText(`${rig.folder}/after`)).toBe(readText(`${rig.folder}/before`))
    expect(rig.tmux('display-message', '-p', '-t', '=watch:', '#{cursor_flag} #{alternate_on}')).toBe('1 0')
    const raw = readText(`${rig.folder}/raw`)
    expect(raw).toContain('\x1b[?2026h\x1b[H')
    expect(raw).not.toContain('\x1b[2J')
  })

  test('q ends it also while tmux does not answer', async () => {
    const ref = await rig.deploy('a', { claude: idle, socket: `${rig.folder}/own` })
    const server = rig.entry(ref).tmux?.server_pid ?? 0
    open('-x', '120', '-y', '30')
    await shows(/TASK-1\/a +running/)
    process.kill(server, 'SIGSTOP')
    try {
      await until('it is stopped', () => readProcess(server)?.state === 'T')
      let since = performance.now()
      await until('it asks in vain', () => {
        if (clients(`${rig.folder}/own`) === 0) since = performance.now()
        return performance.now() - since > 1_000
      })
      rig.tmux('send-keys', '-t', '=watch:', 'q')
      await until(
        'the page is back while it still asks',
        () => /first page/.test(screen()) && clients(`${rig.folder}/own`) > 0,
      )
      const tty = rig.tmux('display-message', '-p', '-t', '=watch:', '#{pane_tty}')
      expect(execFileSync('stty', ['-F', tty, '-a'], { encoding: 'utf8' })).toMatch(/ icanon .* echo /s)
      expect(clients(`${rig.folder}/own`)).toBeGreaterThan(0)
      await shows(/rc 0/)
      expect(clients(`${rig.folder}/own`)).toBe(0)
    } finally {
      process.kill(server, 'SIGCONT')
    }
  })

  test('a small window is not scrolled, and says what it has no room for', async () => {
    await rig.deploy('a', { claude: idle })
    open('-x', '40', '-y', '8')
    await shows(/leakrig status/)
    expect(screen()).toMatch(/^\.\.\. \d+ more lines$/m)
    expect(screen().split('\n')[0]).toContain('leakrig status')
    rig.tmux('resize-window', '-t', '=watch:', '-x', '120', '-y', '30')
    await shows(/In all: 1 running/)
    expect(screen()).not.toContain('more lines')
  })
})

describe('without a terminal', () => {
  test('a line for each change, and nothing while nothing changes; TERM ends it', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const running = new RunningCommand(words())
    await until('the first look is printed', () => running.out.includes('TASK-1/a processes: 4'))
    expect(running.out).toMatch(/^\S+Z TASK-1\/a status: running$/m)
    const before = running.out
    await updateAgent(ref, entry => {
      entry.status = 'thinking'
    })
    await until('the change is printed', () => running.out.includes('thinking'))
    expect(running.out.slice(before.length)).toMatch(/^\S+Z TASK-1\/a status: running -> thinking\n$/)
    running.child.kill('SIGTERM')
    expect(await running.end()).toMatchObject({ code: 0, err: '' })
  })

  test('JSON: one document a line', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const running = new RunningCommand([...words(), '--json'])
    await until('the first look is printed', () => running.out.endsWith('\n'))
    await updateAgent(ref, entry => {
      entry.status = 'thinking'
    })
    const lines = await until('two', () => {
      const all = running.out.split('\n').slice(0, -1)
      return all.length === 2 && all
    })
    expect(lines.map(line => JSON.parse(line).workspaces[0].agents[0].status)).toEqual([
      'running',
      'thinking',
    ])
    running.child.kill('SIGINT')
    expect((await running.end()).code).toBe(0)
  })

  test('a reader that leaves ends it', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const running = new RunningCommand(words())
    const { child } = running
    await until('it prints', () => running.out.includes('processes: 4'))
    child.stdout?.destroy()
    await until('it has ended', async () => {
      await updateAgent(ref, entry => {
        entry.status = `s${performance.now()}`
      })
      return child.exitCode !== null
    })
    expect(child.exitCode).toBe(141)
  })
})
