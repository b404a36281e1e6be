/** @module-tag tools */
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { cleanUp, measure } from '../../index.ts'
import { findProgram } from '../../orchestrator.ts'
import { readProcess } from '../../platform/processes/table.ts'
import { leakrig } from '../support/cli.ts'
import { isRunning, Rig, readText } from '../support/rig.ts'
import { until } from '../support/until.ts'
import { Witness } from '../support/witness.ts'

/* GNU screen, which an agent has started: it hands the agent's environment to the windows that a user opens in it. */

const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }

let rig: Rig
let witness: Witness
let server: number
let own: number
beforeEach(async () => {
  rig = await Rig.start()
  needs('screen on the PATH', findProgram('screen') !== undefined)
  fs.mkdirSync(folder(), { mode: 0o700 })
  witness = new Witness(rig, 'user')
})
afterEach(() => rig[Symbol.asyncDispose]())

const folder = () => path.join(rig.folder, 'screens')
const environment = () => ({ ...process.env, SCREENDIR: folder(), TERM: 'xterm' })

async function deploy(contained = false) {
  const window = `sh -c 'echo $$ >${rig.folder}/own.pid; exec sleep 1000'`
  const claude = `export SCREENDIR=${folder()}\nscreen -dmS work ${window}\necho ready; sleep 1000 & wait`
  const ref = await rig.deploy('a', { claude, contained })
  own = await rig.pid('own')
  server = readProcess(own)?.ppid ?? 0
  return ref
}

/** A user's client, on a terminal of its own. */
async function attach(): Promise<number> {
  const client = spawn('script', ['-qc', `exec screen -x ${server}`, '/dev/null'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: environment(),
  })
  const childOf = (pid = 0) => Number(readText(`/proc/${pid}/task/${pid}/children`).trim()) || undefined
  const pid = await until('the client runs', () => childOf(client.pid))
  await until('it is attached', () =>
    fs.readdirSync(folder()).some(name => (fs.statSync(path.join(folder(), name)).mode & 0o100) !== 0),
  )
  return pid
}

const screen = (...words: string[]) =>
  spawnSync('screen', ['-S', `${server}`, '-X', ...words], { env: environment() })

/** A second window, as a user opens it: more than a moment after the session. */
async function open(line: string): Promise<number> {
  // A message to screen is short.
  const file = path.join(rig.folder, 'window.sh')
  fs.writeFileSync(file, line)
  const { start = 0 } = readProcess(server) ?? {}
  await until(
    'the session is some seconds old',
    () => Number(readText('/proc/uptime').split(' ')[0]) * 100 > start + 250,
  )
  screen('screen', 'sh', file)
  return witness.pid()
}

test.each([false, true])('ends with all of it, if nobody else uses it; contained: %s', async contained => {
  const ref = await deploy(contained)
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', notes: [] })
  expect([server, own].filter(isRunning)).toEqual([])
})

test.each([false, true])(
  'stays for a window that a user has opened, and only the first one ends; contained: %s',
  async contained => {
    const ref = await deploy(contained)
    await open(`exec ${witness.shellCommand}`)
    expect(leakrig(['explain', 'a', rig.workspace]).out).toMatch(
      /The screen session \d+, which the agent started, is left running/,
    )
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'clean' })
    expect(report.notes).toContainEqual(expect.stringContaining(`"screen -S ${server} -X quit" ends it`))
    expect(isRunning(own)).toBe(false)
    expect(isRunning(server)).toBe(true)
    expect(witness.harm()).toEqual([])
    leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s'])
    expect(witness.harm()).toEqual([])
    const leftovers = (await measure([rig.workspace])).processes?.leftovers ?? []
    expect(leftovers.map(({ pid }) => pid)).not.toContain(await witness.pid())
  },
)

test('stays for a daemon from a window that a user has opened', async () => {
  const ref = await deploy()
  await open(`setsid -f ${witness.shellCommand}; exec sleep 1000`)
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(witness.harm()).toEqual([])
})

test.each([false, true])(
  'ends without a daemon from a window that a user has opened and closed, which is named; contained: %s',
  async contained => {
    const ref = await deploy(contained)
    const closing = path.join(rig.folder, 'closing')
    const pid = await open(`setsid -f ${witness.shellCommand}; until [ -e ${closing} ]; do sleep 0.05; done`)
    fs.writeFileSync(closing, '')
    const windows = () => readText(`/proc/${server}/task/${server}/children`).trim().split(' ')
    await until('its window is closed', () => windows().length === 1)
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({ outcome: 'clean' })
    expect(report.suspects.map(one => one.pid)).toContain(pid)
    expect(witness.harm()).toEqual([])
    expect([server, own].filter(isRunning)).toEqual([])
    leakrig(['sweep', rig.workspace, '--apply', '--orphans', '--min-age', '0s'])
    expect(witness.harm()).toEqual([])
  },
)

test('stays as a whole while a user is attached', async () => {
  const ref = await deploy()
  const client = await attach()
  const { notes } = await cleanUp(ref, completed)
  expect(notes).toContainEqual(expect.stringContaining(`a client, process ${client}, is attached`))
  expect([server, own, client].filter(isRunning)).toEqual([server, own, client])
})
