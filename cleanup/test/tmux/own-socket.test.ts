import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { type Sweep, sweep } from '../../index.ts'
import { addAgent } from '../../orchestrator.ts'
import { queryTmux } from '../../tmux/query.ts'
import { isRunning, kill, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

/*
 * tmux servers of other users. A client does what its server says: here it writes a file as the user who asks.
 */

const STRANGER = 54_321
const isRoot = process.geteuid?.() === 0

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** What a client that asked the stranger's server writes, as us, in a folder that only we may write. */
const written = () => path.join(rig.folder, 'private', 'written')

/** Another user's tmux server, for which every question means: write that file. */
function serveAsStranger(socket: string, uid: number = STRANGER): number {
  const run = (...args: string[]) => {
    const words = ['-f', '/dev/null', '-S', socket, ...args]
    const { status, stderr, stdout } = spawnSync('tmux', words, { uid, gid: uid, encoding: 'utf8', cwd: '/' })
    if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`)
    return stdout.trim()
  }
  run('new-session', '-d', '-s', 'agent_planted', 'sleep 1000')
  run('set-buffer', 'owned')
  for (const [n, command] of ['display-message', 'list-sessions', 'kill-session', 'run-shell'].entries())
    run('set-option', '-s', `command-alias[${100 + n}]`, `${command}=save-buffer ${written()}`)
  return Number(fs.readdirSync('/proc').find(pid => isServerOf(pid, socket)))
}

function isServerOf(pid: string, socket: string): boolean {
  try {
    const words = fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')
    return words[0] === 'tmux' && words.includes(socket)
  } catch {
    return false
  }
}

/** Sweeps, dry and in earnest, an agent whose registry names a socket (or none: the default one). */
async function sweepAll(socket?: string): Promise<Sweep[]> {
  const tmux = socket && {
    socket,
    server_pid: process.pid,
    session_id: '$0',
    session_created: 1,
    pane_id: '%0',
    pane_pid: process.pid,
  }
  await addAgent(rig.ref('a'), { status: 'completed', ...(tmux && { tmux }) })
  const options = { graceMs: 300, minAgeMs: 0, orphans: true }
  return [await sweep(rig.workspace, options), await sweep(rig.workspace, { ...options, apply: true })]
}

function expectNotAsked(sweeps: Sweep[], why: RegExp): void {
  expect(fs.existsSync(written())).toBe(false)
  for (const { agents, problems } of sweeps) {
    expect(agents).toMatchObject([{ state: 'unknown', why: expect.stringMatching(why) }])
    expect(problems.filter(problem => !/was not asked/.test(problem))).toEqual([])
  }
  expect(rig.entry(rig.ref('a')).cleanup).toBeUndefined()
}

describe('a server of another user', () => {
  needs('root rights', isRoot)

  let shared: string
  beforeEach(() => {
    fs.chmodSync(rig.folder, 0o711)
    fs.mkdirSync(path.dirname(written()), { mode: 0o700 })
    shared = path.join(rig.folder, 'tmp')
    fs.mkdirSync(shared)
    fs.chmodSync(shared, 0o1777)
  })

  /** A folder in the shared one, of anybody. */
  function folder(name: string, { uid = 0, mode = 0o700 }): string {
    const made = path.join(shared, name)
    fs.mkdirSync(made)
    fs.chownSync(made, uid, uid)
    fs.chmodSync(made, mode)
    return made
  }

  test('that a client which asks it does what it says, or these tests prove nothing', () => {
    const socket = path.join(folder('open', { uid: STRANGER, mode: 0o755 }), 's')
    serveAsStranger(socket)
    spawnSync('tmux', ['-S', socket, 'list-sessions'])
    expect(fs.statSync(written()).uid).toBe(0)
  })

  test('in the place of our default one', async () => {
    serveAsStranger(path.join(folder('tmux-0', { uid: STRANGER }), 'default'))
    process.env.TMUX_TMPDIR = shared
    expectNotAsked(await sweepAll(), /belongs to user 54321.*remove or rename that folder/)
  })

  test('that a registry names', async () => {
    const socket = path.join(folder('theirs', { uid: STRANGER, mode: 0o755 }), 's')
    serveAsStranger(socket)
    expectNotAsked(await sweepAll(socket), /theirs belongs to user 54321/)
  })

  test('below a folder of ours that lies in one of theirs', async () => {
    const above = folder('theirs', { uid: STRANGER, mode: 0o755 })
    fs.mkdirSync(path.join(above, 'ours'), { mode: 0o777 })
    fs.chmodSync(path.join(above, 'ours'), 0o1777)
    const socket = path.join(above, 'ours', 's')
    serveAsStranger(socket)
    expectNotAsked(await sweepAll(socket), /theirs belongs to user 54321/)
  })

  test.each([0o777, 0o770])('in a folder of ours that others may write: %o', async mode => {
    const open = folder('ours', { mode: 0o777 })
    const socket = path.join(open, 's')
    serveAsStranger(socket)
    // The socket is made ours, so that only the folder speaks against it.
    fs.chownSync(socket, 0, 0)
    fs.chmodSync(open, mode)
    expectNotAsked(await sweepAll(socket), /other users may write its folder .*ours/)
  })

  test('in a shared folder, where its socket is theirs', async () => {
    const socket = path.join(shared, 's')
    serveAsStranger(socket)
    expectNotAsked(await sweepAll(socket), /it belongs to user 54321, not to us/)
  })

  test('behind a link of ours, and behind one of theirs', async () => {
    const socket = path.join(folder('theirs', { uid: STRANGER, mode: 0o755 }), 's')
    serveAsStranger(socket)
    const links = [path.join(folder('ours', {}), 's'), path.join(shared, 's')]
    for (const at of links) fs.symlinkSync(socket, at)
    fs.lchownSync(links[1] ?? '', STRANGER, STRANGER)
    for (const at of links) await expect(queryTmux(at, ['list-sessions'])).rejects.toThrow(/it is a link/)
    expectNotAsked(await sweepAll(links[0]), /it is a link/)
  })

  test('in a folder that a link leads to', async () => {
    const theirs = folder('theirs', { uid: STRANGER, mode: 0o755 })
    serveAsStranger(path.join(theirs, 'default'))
    fs.symlinkSync(theirs, path.join(shared, 'tmux-0'))
    process.env.TMUX_TMPDIR = shared
    expectNotAsked(await sweepAll(), /theirs belongs to user 54321/)
  })

  test('on a socket that was made ours', async () => {
    const at = folder('ours', { mode: 0o777 })
    const socket = path.join(at, 's')
    serveAsStranger(socket)
    fs.chownSync(socket, 0, 0)
    fs.chmodSync(at, 0o700)
    expectNotAsked(await sweepAll(socket), /no process of ours listens on it/)
  })

  test('also where a server of ours once had that path', async () => {
    const at = folder('ours', { mode: 0o777 })
    const socket = path.join(at, 's')
    rig.tmux('-S', socket, 'new-session', '-d', 'sleep 1000')
    fs.rmSync(socket)
    serveAsStranger(socket)
    fs.chownSync(socket, 0, 0)
    fs.chmodSync(at, 0o700)
    expectNotAsked(await sweepAll(socket), /no process of ours listens on it/)
  })

  test('a socket that every user may write', async () => {
    const socket = path.join(folder('ours', {}), 's')
    rig.tmux('-S', socket, 'new-session', '-d', 'sleep 1000')
    fs.chmodSync(socket, 0o777)
    expectNotAsked(await sweepAll(socket), /every user may write to it/)
  })

  test('no other user is root’s business: a server of the stranger’s own is refused', async () => {
    const socket = path.join(folder('theirs', { uid: STRANGER }), 's')
    const pid = serveAsStranger(socket)
    await expect(queryTmux(socket, ['kill-server'])).rejects.toMatchObject({ code: 'tmux-unreachable' })
    expect(isRunning(pid)).toBe(true)
  })
})

describe('a server of ours is asked', () => {
  const names = async (socket: string) => queryTmux(socket, ['list-sessions', '-F', '#{session_name}'])

  test('on the default socket, one of a name, and one in any folder of ours', async () => {
    expect(await names(rig.socket)).toEqual(['user'])
    spawnSync('tmux', ['-L', 'named', 'new-session', '-d', '-s', 'other', 'sleep 1000'])
    expect(await names(path.join(path.dirname(rig.socket), 'named'))).toEqual(['other'])
    const own = path.join(rig.folder, 'own')
    rig.tmux('-S', own, 'new-session', '-d', '-s', 'mine', 'sleep 1000')
    expect(await names(own)).toEqual(['mine'])
  })

  test('directly in a shared folder, and through a link to its folder', async () => {
    const shared = path.join(rig.folder, 'tmp')
    fs.mkdirSync(shared)
    fs.chmodSync(shared, 0o1777)
    const socket = path.join(shared, 's')
    rig.tmux('-S', socket, 'new-session', '-d', '-s', 'mine', 'sleep 1000')
    expect(await names(socket)).toEqual(['mine'])
    fs.symlinkSync(shared, path.join(rig.folder, 'link'))
    expect(await names(path.join(rig.folder, 'link', 's'))).toEqual(['mine'])
  })

  test('that bound its socket by another path: relative, or through a link', async () => {
    const run = (socket: string, name: string) =>
      spawnSync('tmux', ['-S', socket, 'new-session', '-d', '-s', name, 'sleep 1000'], { cwd: rig.folder })
    run('relative', 'one')
    expect(await names(path.join(rig.folder, 'relative'))).toEqual(['one'])
    fs.symlinkSync(rig.folder, path.join(rig.folder, 'link'))
    run(path.join(rig.folder, 'link', 'linked'), 'two')
    expect(await names(path.join(rig.folder, 'linked'))).toEqual(['two'])
  })

  test('nothing there, a socket that its server has left, and a file: no server, or it is said', async () => {
    expect(await names(path.join(rig.folder, 'none'))).toBe('no-server')
    expect(await names(path.join(rig.folder, 'none', 'none'))).toBe('no-server')
    const socket = path.join(rig.folder, 'stale')
    rig.tmux('-S', socket, 'new-session', '-d', 'sleep 1000')
    const pid = Number(rig.tmux('-S', socket, 'display-message', '-p', '#{pid}'))
    kill(pid)
    await until('it is dead', () => !isRunning(pid))
    expect(fs.existsSync(socket)).toBe(true)
    expect(await names(socket)).toBe('no-server')
    fs.writeFileSync(path.join(rig.folder, 'file'), '')
    await expect(names(path.join(rig.folder, 'file'))).rejects.toThrow(/it is no socket/)
  })
})
