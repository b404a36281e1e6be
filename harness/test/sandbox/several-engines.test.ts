/** @module-tag tools */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { which } from 'zx'
import { needs } from '../../../test/needs.ts'
import { poll } from '../../poll.ts'
import { readProcesses } from '../../probe/processes.ts'
import type { Report } from '../../report/report.ts'
import { ensureImage } from '../../sandbox/container/image.ts'
import { engine, objection } from '../support/container.ts'
import { startEngine } from '../support/own-engine.ts'

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')

/** The files of failed cells come into the folder that it is called from. */
const leakrig = (args: string[], calledFrom: string) =>
  execa(process.execPath, [program, ...args], { reject: false, env: { INIT_CWD: calledFrom } })

let folder: string
beforeAll(() => {
  folder = mkdtempSync('/var/tmp/leakrig-test-')
})
afterAll(() => rmSync(folder, { recursive: true }))

const refused: [words: string[], sentence: string][] = [
  [
    ['--engine', 'ssh://me@there'],
    '--engine "ssh://me@there" is refused: expected unix:///path or tcp://name:port.',
  ],
  [
    ['--engine', 'unix:///a', '--engine', 'unix:///a'],
    '--engine unix:///a is given twice: name each engine once.',
  ],
  [
    ['--engine', 'unix:///a', '--sandbox', 'namespace'],
    'The namespace sandbox has no container engine: use --sandbox container, or leave --engine out.',
  ],
]

test.for(refused)('%j is wrong usage', async ([words, sentence]) => {
  const { exitCode, stderr } = await leakrig(['scenarios', ...words], folder)
  expect(stderr).toBe(`leakrig: ${sentence}`)
  expect(exitCode).toBe(2)
})

test('at the beginning each engine has to answer', async () => {
  const { exitCode, stderr } = await leakrig(
    ['scenarios', '--engine', 'unix:///nowhere', '--engine', 'tcp://127.0.0.1:1'],
    folder,
  )
  expect(stderr).toBe(
    'leakrig: A container engine does not answer (unix:///nowhere: ENOENT; tcp://127.0.0.1:1: ECONNREFUSED): start it, or leave its --engine out.',
  )
  expect(exitCode).toBe(3)
})

/** An engine of our own with the sandbox's image. Whatever is left of it is ended afterwards, also once it was killed. */
async function ownEngine() {
  if (!engine) throw new Error('There is an engine: that was checked before.')
  const folder = mkdtempSync('/var/tmp/leakrig-engine-')
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const started = await startEngine(folder)
  const isEngine = /^(?:dockerd|containerd)/
  const ofIt = () =>
    readProcesses().filter(({ comm, command }) => isEngine.test(comm) && command.includes(`${folder}/`))
  onTestFinished(async () => {
    await started.stop()
    const isOver = await poll(20_000, async () => {
      for (const { pid } of ofIt()) process.kill(pid, 'SIGKILL')
      return ofIt().length === 0 || undefined
    })
    expect(isOver).toBe(true)
  })
  await started.load(await ensureImage(engine))
  return { ...started, address: `unix://${started.socket}` }
}

/** Whether an agent works in the first sandbox of an engine. */
async function hasAgent({ docker }: Awaited<ReturnType<typeof ownEngine>>): Promise<boolean> {
  const [id = ''] = (await docker('ps', '--quiet')).stdout.split('\n')
  return id !== '' && (await docker('top', id)).stdout.includes('tee -a')
}

test('of three engines one is killed: its scenarios are measured again on the others, and nothing is called a leak', {
  tags: ['long'],
  timeout: 900_000,
}, async () => {
  needs('container engine with an image for the sandbox', objection === undefined)
  needs('dockerd on the PATH', (await which('dockerd', { nothrow: true })) !== null)
  needs('root rights', process.getuid?.() === 0)
  const engines = [await ownEngine(), await ownEngine(), await ownEngine()]
  const json = join(folder, 'report.json')
  const named = engines.flatMap(({ address }) => ['--engine', address])
  const filter = [
    'plain × killed',
    'own-session × killed',
    'legacy × killed',
    'own-session × crashed',
    'mid × crashed',
  ]
  const run = leakrig(['catalogue', ...filter, ...named, '--workers', '3', '--json', json], folder)
  let printed = ''
  run.stdout.on('data', text => {
    printed += text
  })
  // While cells run, and not while the images are made.
  const atWork = async () => {
    if (!printed.includes('sandbox container (on 3 engines)')) return undefined
    const working = await Promise.all(engines.map(hasAgent))
    return engines.find((_, at) => working[at])
  }
  const victim = await poll(200_000, atWork)
  if (!victim) throw new Error(`No engine had an agent at work: ${printed}`)
  victim.daemon.kill('SIGKILL')
  const { exitCode, stdout } = await run
  const { scenarios }: Report = JSON.parse(readFileSync(json, 'utf8'))
  expect(
    scenarios.map(({ verdict }) => verdict),
    stdout,
  ).toEqual(scenarios.map(() => 'pass'))
  expect(exitCode).toBe(0)
  expect(scenarios.length).toBeGreaterThanOrEqual(5)
  const again = scenarios.filter(({ lostEngines }) => lostEngines?.includes(victim.address))
  expect(again.length).toBeGreaterThan(0)
  for (const { engine } of again) expect(engine).not.toBe(victim.address)
  expect(stdout).toContain(`the engine at ${victim.address} stopped; measured again on unix://`)
  expect(new Set(scenarios.map(({ engine }) => engine)).size).toBeGreaterThan(1)
})
