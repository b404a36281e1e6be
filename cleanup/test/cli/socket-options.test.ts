import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { daemonArguments } from '../../cli/daemon-options.ts'
import { leakrig } from '../support/cli.ts'
import { runDaemonProgram } from '../support/daemon.ts'
import { Rig } from '../support/rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const named = (name: string) => path.join(path.dirname(rig.socket), name)

/** Starts `tmux -L <name>` with one session that no registry lists. */
function startServer(name: string): void {
  const words = ['-f', '/dev/null', '-L', name, 'new-session', '-d', '-s', `agent_${name}`, 'sleep 1000']
  expect(spawnSync('tmux', words, { stdio: 'inherit' }).status).toBe(0)
}

const sessions = (args: string[]): string[] =>
  JSON.parse(leakrig(['status', rig.workspace, '--json', ...args]).out).sessions.leftover.map(
    ({ socket }: { socket: string }) => socket,
  )

test('an unlisted session counts on the servers that are named, by name or path, each once', () => {
  startServer('work')
  startServer('play')
  expect(sessions([])).toEqual([])
  expect(sessions(['--socket-name', 'work'])).toEqual([named('work')])
  expect(
    sessions(['--socket-name', 'work', '--socket-path', named('work'), '--socket-path', named('play')]),
  ).toEqual([named('work'), named('play')])
  const sweep = ['sweep', rig.workspace, '--orphans', '--apply', '--min-age', '0s', '--grace', '1s']
  expect(leakrig([...sweep, '--socket-name', 'work'])).toMatchObject({ code: 0, err: '' })
  expect(sessions(['--socket-path', named('play')])).toEqual([named('play')])
})

describe('a bad value is one sentence, and nothing is done', () => {
  test.each([
    ['--socket-name', '', '--socket-name "" is refused: expected a name'],
    ['--socket-path', '', '--socket-path "" is refused: expected the path of a socket'],
    ['--socket-name', 'a/b', '--socket-path takes a path'],
    ['--socket-name', '..', '--socket-path takes a path'],
    ['--socket-name', '--apply', 'needs a value, not another option'],
    ['--socket-name', 'none', 'none does not exist'],
    ['--socket-path', '/no/such/socket', '/no/such/socket does not exist'],
    ['--socket-path', '/', '/ is a folder'],
    ['--socket-path', '/etc/passwd', '/etc/passwd is not a socket'],
    ['--socket-path', '/etc/passwd/x', '/etc/passwd/x cannot be examined (ENOTDIR)'],
  ])('%s %j', (option, value, why) => {
    const { code, out, err } = leakrig(['sweep', rig.workspace, option, value])
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toMatch(/^leakrig: [^\n]+$/)
    expect(err).toContain(why)
  })

  test('somebody else’s socket, and a link', () => {
    needs('root rights', process.geteuid?.() === 0)
    startServer('work')
    fs.chownSync(named('work'), 12_345, 12_345)
    fs.symlinkSync(rig.socket, named('link'))
    const sweep = (name: string) => leakrig(['sweep', rig.workspace, '--socket-name', name])
    expect(sweep('work')).toMatchObject({ code: 2, out: '' })
    expect(sweep('work').err).toContain('belongs to user 12345')
    expect(sweep('link').err).toContain('is a link')
  })

  test('for the daemon, which waits for a server that is not there yet', async () => {
    const { code, stderr } = await runDaemonProgram([rig.workspace, '--socket-path', rig.folder])
    expect(code).toBe(2)
    expect(stderr).toContain(`${rig.folder} is a folder`)
    expect(daemonArguments({ socketName: ['later', 'work'], socketPath: ['/tmp/s'] })).toEqual([
      '--socket-name',
      'later',
      '--socket-name',
      'work',
      '--socket-path',
      '/tmp/s',
    ])
  })
})
