import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Vitest } from 'vitest/node'
import { runTests } from '../../cli/run-tests.ts'
import { ScenarioReporter } from '../../report/reporter.ts'

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')
const folder = join(tmpdir(), `leakrig-output-${randomUUID()}`)
// Not while the file is loaded: where a filter leaves out all its tests, nothing would remove it.
beforeAll(() => mkdirSync(folder))
/** A command that prints and needs only the folder. */
const command = [program, 'service', 'install', '--print', folder]

afterAll(() => rmSync(folder, { recursive: true }))

test('a reader that is gone ends a command silently, as SIGPIPE does', async () => {
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  expect(said).toBe('')
  expect(code).toBe(141)
})

test('output to a full disk is reported in one sentence, with exit 3', async () => {
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, command, { stdio: ['ignore', full, 'pipe'] })
  closeSync(full)
  const [said, [code]] = await Promise.all([text(child.stderr as never), once(child, 'exit')])
  expect(said).toMatch(/^leakrig: The output could not be written \(ENOSPC.*\n$/)
  expect(code).toBe(3)
})

test.for(['SIGINT', 'SIGTERM', 'SIGPIPE'] as const)(
  '%s ends a run in order, also when it comes twice',
  async signal => {
    const before = process.listeners(signal)
    const { promise: run, resolve } = Promise.withResolvers<void>()
    const asked: string[] = []
    const cancelCurrentRun = async (why: string) => {
      asked.push(why)
      resolve()
    }
    const vitest = { start: () => run, cancelCurrentRun } as unknown as Vitest
    const reporter = new ScenarioReporter()
    const running = runTests(vitest, reporter)
    process.emit(signal, signal)
    process.emit(signal, signal)
    expect(await running).toBe(signal)
    expect(asked).toHaveLength(1)
    expect(reporter.isInterrupted).toBe(true)
    process.removeAllListeners(signal)
    for (const listener of before) process.on(signal, listener)
  },
)
