import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { serveMetrics } from '../../metrics/serve.ts'
import { Daemon, runDaemonProgram } from '../support/daemon.ts'
import { scrape, statusAs } from '../support/metrics-client.ts'
import { Rig } from '../support/rig.ts'
import { runCommand } from '../support/run-command.ts'

const isRoot = process.geteuid?.() === 0
const SOMEBODY = 65_534

let rig: Rig
let folder: string
let socketPath: string
beforeEach(async () => {
  rig = await Rig.start()
  // Other users can reach the socket, so the socket itself must refuse them.
  fs.chmodSync(rig.folder, 0o755)
  folder = path.join(rig.folder, 'run')
  fs.mkdirSync(folder, { mode: 0o755 })
  socketPath = path.join(folder, 'metrics.sock')
})
afterEach(() => rig[Symbol.asyncDispose]())

const serve = () => serveMetrics({ socket: socketPath }, async () => 'leakrig_x 1\n')

test('it serves metrics to its own user, opens no port, and is removed at the end', async () => {
  const daemon = await Daemon.start(rig, '--metrics-socket', socketPath)
  expect(daemon.events('metrics')).toMatchObject([{ socket: socketPath }])
  const { code, text } = await scrape({ socketPath })
  expect(code).toBe(200)
  expect(text).toContain('leakrig_pending_cleanups')
  const { mode, uid } = fs.lstatSync(socketPath)
  expect([mode & 0o777, uid]).toEqual([0o600, process.geteuid?.()])
  expect(await daemon.stop()).toBe(0)
  expect(fs.readdirSync(folder)).toEqual([])
})

test('another user cannot open it', async () => {
  needs('root rights', isRoot)
  // The most permissive umask.
  const before = process.umask(0)
  const starting = Daemon.start(rig, '--metrics-socket', socketPath)
  process.umask(before)
  const daemon = await starting
  expect(await statusAs({ socketPath })).toBe('200')
  expect(await statusAs({ socketPath }, SOMEBODY)).toBe('EACCES')
  await daemon.stop()
})

test('the umask is restored', async () => {
  await using _ = await serve()
  const file = path.join(folder, 'x')
  fs.writeFileSync(file, '')
  expect(fs.statSync(file).mode & 0o777).toBe(0o666 & ~process.umask())
  expect(process.umask()).not.toBe(0o177)
})

describe('a name in use', () => {
  test('by a killed daemon: its socket is replaced', async () => {
    await (await Daemon.start(rig, '--metrics-socket', socketPath)).stop('SIGKILL')
    expect(fs.lstatSync(socketPath).isSocket()).toBe(true)
    const next = await Daemon.start(rig, '--metrics-socket', socketPath)
    expect(await scrape({ socketPath })).toMatchObject({ code: 200 })
    await next.stop()
  })

  test('by a listening program: its socket stays, and still answers', async () => {
    await using _ = await serve()
    await expect(serve()).rejects.toThrow('a socket that no program listens on, found a listening program')
    expect(await scrape({ socketPath })).toMatchObject({ code: 200 })
  })

  test('by a stopped program with a full queue: its socket stays', async () => {
    const program = `const net = require('node:net')
      net.createServer().listen({ path: process.argv[1], backlog: 1 }, () => {
        console.log('ready')
        process.kill(process.pid, 'SIGSTOP')
      })`
    const listener = spawn(process.execPath, ['-e', program, socketPath])
    try {
      await once(listener.stdout, 'data')
      const { ino } = fs.lstatSync(socketPath)
      // The first connections fill the queue, and the last one finds it full.
      for (let n = 0; n < 4; n++) await expect(serve()).rejects.toThrow('a socket that no program listens on')
      expect(fs.lstatSync(socketPath).ino).toBe(ino)
    } finally {
      listener.kill('SIGKILL')
      await once(listener, 'close')
    }
  })

  test.each<[string, () => void]>([
    ['a file', () => fs.writeFileSync(socketPath, 'mine')],
    ['a folder', () => fs.mkdirSync(socketPath)],
    [
      'a link to a file',
      () => {
        fs.writeFileSync(path.join(rig.folder, 'target'), 'mine')
        fs.symlinkSync(path.join(rig.folder, 'target'), socketPath)
      },
    ],
    ['a link to nothing', () => fs.symlinkSync(path.join(rig.folder, 'nothing'), socketPath)],
  ])('by %s: it stays', async (_, put) => {
    put()
    const before = fs.lstatSync(socketPath)
    const { code, stderr } = await runDaemonProgram([rig.workspace, '--metrics-socket', socketPath])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('found something that is not a socket'),
    })
    expect(stderr.split('\n')).toHaveLength(1)
    expect(fs.lstatSync(socketPath)).toMatchObject({ ino: before.ino, size: before.size, mode: before.mode })
    expect(fs.existsSync(path.join(rig.folder, 'nothing'))).toBe(false)
  })

  test('by a socket of another user: it stays, also for root', async () => {
    needs('root rights', isRoot)
    await (await Daemon.start(rig, '--metrics-socket', socketPath)).stop('SIGKILL')
    fs.chownSync(socketPath, SOMEBODY, SOMEBODY)
    await expect(serve()).rejects.toThrow('found a socket of another user')
    expect(fs.lstatSync(socketPath).uid).toBe(SOMEBODY)
  })
})

describe('a folder in which another user could put a socket is refused', () => {
  const refused = (expected: string) => expect(serve()).rejects.toThrow(expected)

  test.each([0o777, 0o1777, 0o775])('a folder with mode %o', async mode => {
    fs.chmodSync(folder, mode)
    await refused('a folder that only its owner may write to')
    expect(fs.readdirSync(folder)).toEqual([])
  })

  test('a folder below one that others may write to', async () => {
    fs.chmodSync(rig.folder, 0o777)
    await refused('a folder that no other user can move')
  })

  test('a link in our own folder that leads to such a folder', async () => {
    fs.chmodSync(folder, 0o777)
    const link = path.join(rig.folder, 'link')
    fs.symlinkSync(folder, link)
    socketPath = path.join(link, 'metrics.sock')
    await refused('a folder that only its owner may write to')
  })

  test('a folder of another user, or below one of theirs', async () => {
    needs('root rights', isRoot)
    fs.chownSync(folder, SOMEBODY, SOMEBODY)
    await refused('a folder of user 0')
    fs.mkdirSync(path.join(folder, 'ours'))
    socketPath = path.join(folder, 'ours', 'metrics.sock')
    await refused('a folder that no other user can move')
  })

  test('a missing folder, and a path that is too long for a socket', async () => {
    socketPath = path.join(folder, 'gone', 'metrics.sock')
    await refused('an existing folder')
    socketPath = path.join(folder, 'x'.repeat(100))
    await refused('a path of at most 103 bytes')
  })
})

test('a service gets the path', async () => {
  const { out } = await runCommand(
    'service',
    'install',
    '--print',
    '--metrics-socket',
    socketPath,
    rig.workspace,
  )
  expect(out).toContain(`"daemon" "--metrics-socket" "${socketPath}"`)
})
