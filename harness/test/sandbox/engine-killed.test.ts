/** @module-tag tools */

import { randomInt } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { which } from 'zx'
import { needs } from '../../../test/needs.ts'
import { poll } from '../../poll.ts'
import { readProcesses } from '../../probe/processes.ts'
import { findEngine } from '../../sandbox/container/engine.ts'
import { ensureImage } from '../../sandbox/container/image.ts'
import { startEngine } from '../support/own-engine.ts'

const engine = await findEngine().catch(() => undefined)

/** A rig with one process in its container, with a unique command line. */
async function startRig(env: Record<string, string> = {}) {
  const marker = String(randomInt(1e8, 2e9))
  const program = join(import.meta.dirname, '../fixtures/ask-container.ts')
  const rig = execa(process.execPath, [program, marker], { env, reject: false })
  onTestFinished(() => void rig.kill('SIGKILL'))
  const lines = createInterface({ input: rig.stdout })[Symbol.asyncIterator]()
  const next = async () => String((await lines.next()).value)
  expect(await next()).toBe('holding')
  const isThere = () => readProcesses().some(({ command }) => command === `sleep ${marker}`)
  expect(isThere()).toBe(true)
  return {
    rig,
    isThere,
    endsWithin: (ms: number) => poll(ms, async () => !isThere() || undefined),
    async asksTwice() {
      rig.stdin.write('\n')
      return [await next(), await next()]
    },
  }
}

test('the container of a killed engine ends within a minute, and the next run finds nothing left of it', {
  tags: ['long'],
  timeout: 600_000,
}, async () => {
  needs('container engine', engine !== undefined)
  needs('dockerd on the PATH', (await which('dockerd', { nothrow: true })) !== null)
  needs('root rights', process.getuid?.() === 0)
  if (!engine) return
  const image = await ensureImage(engine)
  const folder = mkdtempSync('/var/tmp/leakrig-test-')
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const first = await startEngine(folder)
  onTestFinished(first.stop)
  await first.load(image)
  const { asksTwice, isThere, endsWithin } = await startRig(first.env)
  expect(await asksTwice()).toEqual(['a snapshot', 'a snapshot'])

  first.daemon.kill('SIGKILL')
  await first.daemon
  const answer = expect.stringMatching(/^CannotMeasureError: The sandbox ended: the container engine stopped/)
  expect(await asksTwice()).toEqual([answer, answer])
  expect(isThere()).toBe(true)
  expect(await endsWithin(60_000)).toBe(true)

  const second = await startEngine(folder)
  onTestFinished(second.stop)
  const next = await startRig(second.env)
  expect((await second.docker('ps', '-aq')).stdout.split('\n').filter(Boolean)).toHaveLength(1)
  next.rig.stdin.end()
  await next.rig
  expect((await second.docker('ps', '-aq')).stdout).toBe('')
  const ofThisEngine = readProcesses().filter(({ command }) => command.includes(`${folder}/exec-root`))
  expect(ofThisEngine.filter(({ comm }) => comm.startsWith('containerd-shim'))).toEqual([])
})

test('a rig that is stopped for a minute loses its container and reports that; one that waits keeps it', {
  tags: ['long'],
  timeout: 300_000,
}, async () => {
  needs('container engine', engine !== undefined)
  const [frozen, waiting] = await Promise.all([startRig(), startRig()])
  frozen.rig.kill('SIGSTOP')
  expect(await frozen.endsWithin(90_000)).toBe(true)
  expect(await waiting.asksTwice()).toEqual(['a snapshot', 'a snapshot'])
  frozen.rig.kill('SIGCONT')
  expect((await frozen.asksTwice())[1]).toMatch(
    /The sandbox ended: its container received no heartbeat of the rig for 45 s/,
  )
  waiting.rig.stdin.end()
  await waiting.rig
})
