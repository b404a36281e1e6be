import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { readToken } from '../../metrics/token.ts'
import { Daemon, runDaemonProgram } from '../support/daemon.ts'
import { scrape, statusAs } from '../support/metrics-client.ts'
import { Rig } from '../support/rig.ts'
import { runCommand } from '../support/run-command.ts'

// Every local user can reach 127.0.0.1; with a token the port answers only users who can read the token's file.

const isRoot = process.geteuid?.() === 0
const SOMEBODY = 65_534
const TOKEN = 'Zm9vYmFyIGlzIG5v-_.~+/='

let rig: Rig
let file: string
beforeEach(async () => {
  rig = await Rig.start()
  file = path.join(rig.folder, 'token')
  fs.writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 })
})
afterEach(() => rig[Symbol.asyncDispose]())

const withToken = async () => {
  const daemon = await Daemon.start(rig, '--metrics-port', '0', '--metrics-token-file', file)
  const port = Number(new URL(String(daemon.events('metrics')[0]?.url)).port)
  return { daemon, target: { port, host: '127.0.0.1' } }
}

test('a port with a token answers only requests that carry it', async () => {
  const { daemon, target } = await withToken()
  const code = async (authorization?: string, at = '/metrics') => {
    const headers = authorization === undefined ? {} : { authorization }
    const answer = await scrape({ ...target, path: at, headers })
    if (answer.code !== 200) expect(answer.text).not.toMatch(/leakrig_|Zm9v/)
    return answer.code
  }
  expect(await code(`Bearer ${TOKEN}`)).toBe(200)
  expect(await code(`bearer  ${TOKEN}`)).toBe(200)
  for (const wrong of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    TOKEN,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Bearer ${TOKEN.toLowerCase()}`,
  ])
    expect([wrong, await code(wrong)]).toEqual([wrong, 401])
  expect(await code(undefined, '/')).toBe(401)
  expect(await daemon.stop()).toBe(0)
})

test('another user, who cannot read the file, is refused', async () => {
  needs('root rights', isRoot)
  const open = await Daemon.start(rig, '--metrics-port', '0')
  const { port } = new URL(String(open.events('metrics')[0]?.url))
  expect(await statusAs({ host: '127.0.0.1', port }, SOMEBODY)).toBe('200')
  await open.stop()
  const { daemon, target } = await withToken()
  expect(await statusAs(target, SOMEBODY)).toBe('401')
  expect(await statusAs({ ...target, headers: { authorization: `Bearer ${TOKEN}` } })).toBe('200')
  await daemon.stop()
})

test.each<[string, (file: string) => void, string]>([
  ['a file that others may read', at => fs.chmodSync(at, 0o644), 'only its owner'],
  ['a file that its group may read', at => fs.chmodSync(at, 0o640), 'only its owner'],
  ['a missing file', at => fs.rmSync(at), 'ENOENT'],
  ['a short token', at => fs.writeFileSync(at, 'only15characte\n'), 'at least 16'],
  ['an empty file', at => fs.writeFileSync(at, ''), 'at least 16'],
  ['two lines', at => fs.writeFileSync(at, `${TOKEN}\n${TOKEN}\n`), 'one line'],
  ['a long token', at => fs.writeFileSync(at, 'x'.repeat(5_000)), 'one line'],
  ['bytes that a header cannot carry', at => fs.writeFileSync(at, `${TOKEN}\u001b[2J`), 'one line'],
  [
    'a link to a token file',
    at => {
      fs.renameSync(at, `${at}.real`)
      fs.symlinkSync(`${at}.real`, at)
    },
    'found a symbolic link',
  ],
  [
    'a FIFO',
    at => {
      fs.rmSync(at)
      execFileSync('mkfifo', ['-m', '600', at])
    },
    'a regular file',
  ],
  [
    'a folder',
    at => {
      fs.rmSync(at)
      fs.mkdirSync(at)
    },
    'a regular file',
  ],
])('%s is refused in one sentence, which does not contain the token', async (_, spoil, expected) => {
  spoil(file)
  const args = ['--metrics-port', '0', '--metrics-token-file', file]
  const { code, stderr } = await runDaemonProgram([rig.workspace, ...args])
  expect(code).toBe(2)
  expect(stderr).toContain(expected)
  expect(stderr.split('\n')).toHaveLength(1)
  expect(stderr).not.toMatch(/Zm9v|only15|\u001b/)
})

test('a file of another user is refused, also by root', async () => {
  needs('root rights', isRoot)
  fs.chownSync(file, SOMEBODY, SOMEBODY)
  expect(() => readToken(file, 0)).toThrow(`it belongs to user ${SOMEBODY}`)
  expect(readToken(file, SOMEBODY)).toBe(TOKEN)
})

test('a token without a port is refused, because nothing would use it', async () => {
  const { code, stderr } = await runDaemonProgram([rig.workspace, '--metrics-token-file', file])
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('add --metrics-port') })
})

test('a service gets the path of the file and not the token, and the file must belong to the service’s user', async () => {
  const args = ['service', 'install', '--print', '--metrics-port', '9410', '--metrics-token-file', file]
  const { out } = await runCommand(...args, rig.workspace)
  expect(out).toContain(`"--metrics-port" "9410" "--metrics-token-file" "${file}"`)
  expect(out).not.toContain(TOKEN)
  needs('root rights', isRoot)
  fs.chownSync(rig.workspace, SOMEBODY, SOMEBODY)
  expect(await runCommand(...args, '--system', rig.workspace)).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining(`expected a file of user ${SOMEBODY}`),
  })
  fs.chownSync(file, SOMEBODY, SOMEBODY)
  expect(await runCommand(...args, '--system', rig.workspace)).toMatchObject({ code: 0, err: '' })
})
