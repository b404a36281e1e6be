import fs from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { programFile } from '../../../bin/programs.ts'
import { LEAN_FLAGS, LEAN_MALLOC } from '../../daemon/lean.ts'
import { Rig } from '../support/rig.ts'
import { RunningCommand } from '../support/run-command.ts'
import { until } from '../support/until.ts'

const PROJECT = path.join(import.meta.dirname, '../../..')

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Runs a program with a daemon until it has started, and returns its command line and its environment. */
async function started(command: string[]): Promise<string[][]> {
  const daemon = new RunningCommand([process.execPath, ...command])
  const ended = daemon.end()
  try {
    await until('it has started or refused', () => daemon.out.includes('"started"') || daemon.err !== '')
    expect(daemon.err).toBe('')
    const files = ['cmdline', 'environ'].map(name => `/proc/${daemon.child.pid}/${name}`)
    return files.map(file => fs.readFileSync(file, 'utf8').split('\0'))
  } finally {
    daemon.child.kill('SIGINT')
    expect(await ended).toMatchObject({ code: 0 })
  }
}

test('the launcher starts it lean: the flags, the variables, the bundle, the same process', async () => {
  const launcher = path.join(PROJECT, 'bin/leakrig.cjs')
  const [words, variables] = await started([launcher, 'daemon', rig.workspace, '--grace', '1s'])
  expect(words?.slice(1, -1)).toEqual([
    ...[...LEAN_FLAGS, programFile('daemon'), rig.workspace, '--grace', '1s'],
  ])
  const wanted = Object.entries(LEAN_MALLOC).map(entry => entry.join('='))
  expect(variables).toEqual(expect.arrayContaining(wanted))
})

test.each([[['--grace-ms', '3000', '--silent-after', '120']], [['--grace', '3s', '--silent-after', '2m']]])(
  'it takes %j',
  async options => {
    await started([programFile('daemon'), rig.workspace, ...options])
  },
)
