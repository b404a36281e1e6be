import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { runShell } from '../../cli/reproduce/shell.ts'
import type { About, ReproductionApi } from '../../reproduction/api.ts'
import { runningReproductions } from '../../reproduction/connect.ts'
import { serve } from '../../reproduction/serve.ts'
import { socketFile, stateFolder } from '../../reproduction/state-folder.ts'

let base = ''
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'leakrig-state-'))
})
afterAll(() => rmSync(base, { recursive: true }))

const folder = () => join(base, 'leakrig')
beforeEach(() => {
  rmSync(folder(), { recursive: true, force: true })
  vi.stubEnv('XDG_RUNTIME_DIR', base)
})

/** A reproduction that only says what it is called. */
async function reproduction(about: Partial<About>) {
  const api = { about: async () => ({ system: 'none', sandbox: 'namespace', ...about }) }
  const server = await serve(socketFile(about.pid ?? 0), api as unknown as ReproductionApi)
  onTestFinished(() => server[Symbol.asyncDispose]())
}

test('the folder is private', () => {
  expect(stateFolder()).toBe(folder())
  expect(existsSync(folder())).toBe(true)
  for (const mode of [0o755, 0o710]) {
    chmodSync(folder(), mode)
    expect(stateFolder).toThrow(
      `${folder()}, where the sockets of reproductions lie, is open to other users: remove it, or set XDG_RUNTIME_DIR to a folder of your own.`,
    )
  }
})

test.for([
  ['is no folder', () => writeFileSync(folder(), '')],
  ['is no folder', () => symlinkSync('/tmp', folder())],
] as const)('it is refused where it %s', ([why, make]) => {
  make()
  expect(stateFolder).toThrow(`${folder()}, where the sockets of reproductions lie, ${why}: `)
})

test('without the folder of a login it is one in /tmp, named after the user', () => {
  vi.stubEnv('XDG_RUNTIME_DIR', undefined)
  vi.stubEnv('TMPDIR', base)
  expect(stateFolder()).toBe(join(base, `leakrig-${process.getuid?.()}`))
})

test('a shell needs a reproduction that runs', async () => {
  await expect(runShell(undefined, {})).rejects.toThrow(
    'No reproduction runs: start one with "leakrig reproduce NAME" in another terminal.',
  )
})

test('with several of them one has to be named', async () => {
  await reproduction({ name: 'stopped', pid: 11 })
  await reproduction({ name: 'stopped', pid: 22 })
  await reproduction({ name: 'report', pid: 33 })
  await expect(runShell(undefined, {})).rejects.toThrow(
    '3 reproductions run: name one, or its pid, of stopped (11), stopped (22), report (33).',
  )
  await expect(runShell('stopped', {})).rejects.toThrow('2 reproductions run: name one, or its pid, of ')
  await expect(runShell('lunch', {})).rejects.toThrow(
    'No reproduction is called "lunch"; there are stopped (11), stopped (22), report (33).',
  )
  // One of them, but no terminal.
  for (const name of ['22', 'report'])
    await expect(runShell(name, {})).rejects.toThrow(
      'A shell needs a terminal: run one command with -c COMMAND.',
    )
})

test('the socket of one that was killed is removed', async () => {
  mkdirSync(folder(), { mode: 0o700 })
  const server = createServer()
  await new Promise<void>(resolve => server.listen(join(base, '44'), resolve))
  // A socket at which nobody listens.
  symlinkSync(join(base, '44'), socketFile(44))
  await new Promise(resolve => server.close(resolve))
  expect(await runningReproductions()).toEqual([])
  expect(existsSync(folder())).toBe(false)
})
