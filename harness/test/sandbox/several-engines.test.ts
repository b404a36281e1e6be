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
    for (const { pid } of ofIt()) process.kill(pid, 'SIGCONT')
    await started.stop()
    const isOver = await poll(20_000, async () => {
      for (const { pid } of ofIt()) process.kill(pid, 'SIGKILL')
      return ofIt().length === 0 || undefined
    })
    expect(isOver).toBe(true)
  })
  await started.load(await ensureImage(engine))
  /** The engine itself: what was started executes it in the end. */
  const pid = () => ofIt().find(({ comm }) => comm === 'dockerd')?.pid ?? 0
  return { ...started, pid, address: `unix://${started.socket}` }
}

type OwnEngine = Awaited<ReturnType<typeof ownEngine>>

/** Whether an agent works in the first sandbox of an engine. */
async function hasAgent({ docker }: OwnEngine): Promise<boolean> {
  const [id = ''] = (await docker('ps', '--quiet')).stdout.split('\n')
  return id !== '' && (await docker('top', id)).stdout.includes('tee -a')
}

/** Each of them is used, and the first that has an agent at work is done something to. */
async function runOn(count: number, harm: (engine: OwnEngine) => unknown) {
  needs('container engine with an image for the sandbox', objection === undefined)
  needs('dockerd on the PATH', (await which('dockerd', { nothrow: true })) !== null)
  needs('root rights', process.getuid?.() === 0)
  const engines = await Promise.all(Array.from({ length: count }, ownEngine))
  const json = join(folder, `report-${count}.json`)
  const named = engines.flatMap(({ address }) => ['--engine', address])
  const cells = [
    'plain × killed',
    'own-session × killed',
    'legacy × killed',
    'own-session × crashed',
    'mid × crashed',
  ].slice(0, count + 2)
  const run = leakrig(['catalogue', ...cells, ...named, '--workers', String(count), '--json', json], folder)
  let printed = ''
  run.stdout.on('data', text => {
    printed += text
  })
  // While cells run, and not while the images are made.
  const atWork = async () => {
    if (!printed.includes(`sandbox container (on ${count} engines)`)) return undefined
    const working = await Promise.all(engines.map(hasAgent))
    return engines.find((_, at) => working[at])
  }
  const victim = await poll(200_000, atWork)
  if (!victim) throw new Error(`No engine had an agent at work: ${printed}`)
  harm(victim)
  const { exitCode, stdout } = await run
  const { scenarios }: Report = JSON.parse(readFileSync(json, 'utf8'))
  return { victim, exitCode, stdout, scenarios, cells }
}

const harms: { what: string; signal: NodeJS.Signals; count: number; tags: string[] }[] = [
  { what: 'is killed', signal: 'SIGKILL', count: 2, tags: ['long'] },
  { what: 'is killed', signal: 'SIGKILL', count: 3, tags: ['long', 'nightly'] },
  { what: 'hangs', signal: 'SIGSTOP', count: 2, tags: ['long', 'nightly'] },
]

for (const { what, signal, count, tags } of harms)
  test(`of ${count} engines one ${what}: its scenarios are measured again, and nothing is called a leak`, {
    tags,
    timeout: 900_000,
  }, async () => {
    const { victim, exitCode, stdout, scenarios, cells } = await runOn(count, ({ pid }) =>
      process.kill(pid(), signal),
    )
    expect(
      scenarios.map(({ verdict }) => verdict),
      stdout,
    ).toEqual(scenarios.map(() => 'pass'))
    expect(exitCode).toBe(0)
    expect(scenarios.length).toBeGreaterThanOrEqual(cells.length)
    const again = scenarios.filter(({ lostEngines }) => lostEngines?.includes(victim.address))
    expect(again.length).toBeGreaterThan(0)
    for (const { engine } of again) expect(engine).not.toBe(victim.address)
    expect(stdout).toContain(`the engine at ${victim.address} stopped; measured again on unix://`)
  })
