import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { dir as temporaryFolder } from 'tmp-promise'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { serviceManager } from '../../platform/service-notify.ts'
import { until } from '../support/until.ts'

// A service manager's end of the socket. Node has no datagram Unix sockets; perl does.
const LISTENER = `use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; bind(S, sockaddr_un($ARGV[0])) or die;
$| = 1; print "bound\\n"; while (defined(recv(S, $_, 4096, 0))) { print "$_\\n--\\n" }`

let socket: string
let heard = ''
let end: () => Promise<void>
beforeEach(async () => {
  const { path: folder, cleanup } = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
  socket = path.join(folder, 'notify')
  heard = ''
  const listener = spawn('perl', ['-e', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
  listener.stdout.on('data', (text: Buffer) => {
    heard += text
  })
  end = async () => {
    listener.kill('SIGKILL')
    await cleanup()
  }
  await until('it listens', () => heard.includes('bound'))
})
afterEach(() => end())

const hasProgram = fs.existsSync('/usr/bin/systemd-notify')

test('it is told that we are ready and alive, with one line of status, and that we stop', async () => {
  needs('systemd-notify', hasProgram)
  const environment = { PATH: process.env.PATH, NOTIFY_SOCKET: socket }
  const manager = serviceManager(environment)
  // What we start must not speak in our name.
  expect(environment).not.toHaveProperty('NOTIFY_SOCKET')
  manager.alive('two\nlines')
  await until('it was heard', () => heard.includes('STATUS='))
  expect(heard).toContain('READY=1\nWATCHDOG=1\nSTATUS=two lines\n')
  manager.stopping()
  await until('it was heard', () => heard.includes('STOPPING=1'))
})

test('without a manager, and without the program, nothing is said and nothing fails', async () => {
  serviceManager({ PATH: process.env.PATH }).alive('x')
  const manager = serviceManager({ PATH: '/nowhere', NOTIFY_SOCKET: socket })
  manager.alive('x')
  // A message of our own, after those that must not have come.
  const last = spawn('perl', [
    '-e',
    'use Socket; socket(S, AF_UNIX, SOCK_DGRAM, 0); send(S, "last", 0, sockaddr_un($ARGV[0]))',
    socket,
  ])
  await until('it was heard', () => heard.includes('last'))
  expect(heard).toBe('bound\nlast\n--\n')
  expect(last.pid).toBeGreaterThan(0)
})
