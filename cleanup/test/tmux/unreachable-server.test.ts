import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AgentRef, cleanUp } from '../../index.ts'
import { queryTmux } from '../../tmux/query.ts'
import { leakrig } from '../support/cli.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

/* What somebody is advised to do about a tmux server that cannot be asked helps. */

let rig: Rig
let ref: AgentRef
let socket: string
let server: number
beforeEach(async () => {
  rig = await Rig.start()
  socket = path.join(rig.folder, 'sockets', 'other')
  fs.mkdirSync(path.dirname(socket), { mode: 0o700 })
  rig.tmux('-f', '/dev/null', '-S', socket, 'new-session', '-d', '-s', 'user', 'sleep 1000')
  ref = await rig.deploy('a', { claude: 'echo ready; sleep 1000 & wait', socket })
  server = rig.entry(ref).tmux?.server_pid ?? 0
})
afterEach(() => rig[Symbol.asyncDispose]())

const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }
const answers = () => queryTmux(socket, ['list-sessions'], server).then(Array.isArray, () => false)
const makesAgain = () => process.kill(server, 'SIGUSR1')

test.each<[string, () => unknown, (why: string) => unknown]>([
  ['lost its socket', () => fs.rmSync(socket), makesAgain],
  [
    'lost its socket and its folder',
    () => fs.rmSync(path.dirname(socket), { recursive: true }),
    why => {
      expect(why).toContain(`"mkdir -m 700 ${path.dirname(socket)} && kill -USR1 ${server}"`)
      fs.mkdirSync(path.dirname(socket), { mode: 0o700 })
      makesAgain()
    },
  ],
  [
    'lost its socket to another server',
    () => {
      fs.rmSync(socket)
      rig.tmux('-S', socket, '-f', '/dev/null', 'new-session', '-d', '-s', 'usurper', 'sleep 1000')
    },
    why => {
      expect(why).toContain('another server’s by now; once that server has ended,')
      rig.tmux('-S', socket, 'kill-server')
      makesAgain()
    },
  ],
])('a server that %s: a call and a sweep give the same advice, which helps', async (_, happens, help) => {
  happens()
  const advice = new RegExp(`its server ${server} runs, and its socket ${socket} is .*kill -USR1 ${server}"`)
  const why = await cleanUp(ref, completed).catch(error => error.message)
  expect(why).toMatch(advice)
  expect(leakrig(['sweep', rig.workspace, '--apply']).out).toMatch(advice)
  help(why)
  await until('the server answers', answers)
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(traces(rig, ref)).toEqual({ ...NO_TRACES, session: false })
})

test('a server of another protocol version is named as one, and is never gone', async () => {
  const old = path.join(rig.folder, 'old')
  // What a tmux server sends to a client of another version: MSG_VERSION (12), 16 bytes, its version in place of a peer.
  const message = Buffer.alloc(16)
  message.writeUInt32LE(12, 0)
  message.writeUInt16LE(16, 4)
  message.writeUInt32LE(7, 8)
  const listening = net.createServer(client =>
    client.on('error', () => {}).once('data', () => client.write(message)),
  )
  await new Promise<void>(resolve => listening.listen(old, resolve))
  await expect(queryTmux(old, ['list-sessions'])).rejects.toThrow(
    /its server is of another version than the tmux on the PATH, which printed "protocol version mismatch .*"; put that server’s own tmux first on the PATH\. The session may still exist/,
  )
  listening.close()
})
