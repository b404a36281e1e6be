import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { runShell } from '../../cli/reproduce/shell.ts'
import type { About, ReproductionApi } from '../../reproduction/api.ts'
import { removeDeserted, runningReproductions } from '../../reproduction/connect.ts'
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
  const api = { about: async () => ({ system: 'none', sandbox: 'namespace', folder: '/work', ...about }) }
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

test('a path that no socket may have is refused, and nothing is made there', () => {
  const long = join(base, 'x'.repeat(107 - base.length))
  vi.stubEnv('XDG_RUNTIME_DIR', long)
  expect(stateFolder).toThrow(
    `${long}/leakrig, where the sockets of reproductions lie, is too long a path for a socket: set XDG_RUNTIME_DIR or TMPDIR to a shorter one.`,
  )
  expect(existsSync(long)).toBe(false)
})

test('a shell needs a reproduction that runs', async () => {
  await expect(runShell(undefined, {})).rejects.toThrow(
    'No reproduction runs: start one in another terminal, with "npm run leakrig -- reproduce NAME".',
  )
})

test('with several of them one has to be named', async () => {
  await reproduction({ name: 'stopped', pid: 11 })
  await reproduction({ name: 'stopped', pid: 22 })
  await reproduction({ name: 'report', pid: 33 })
  await expect(runShell(undefined, {})).rejects.toThrow(
    '3 reproductions run: choose one by its name or its pid, as in "npm run leakrig -- shell 11". There are stopped (pid 11, started in /work), stopped (pid 22, started in /work), report (pid 33, started in /work).',
  )
  await expect(runShell('stopped', {})).rejects.toThrow('2 reproductions run: choose one ')
  await expect(runShell('lunch', {})).rejects.toThrow(
    'No reproduction is called "lunch"; there are stopped (pid 11, started in /work), stopped (pid 22, started in /work), report (pid 33, started in /work).',
  )
  // One of them, but no terminal.
  for (const name of ['22', 'report'])
    await expect(runShell(name, {})).rejects.toThrow(
      'A shell needs a terminal: run one command with -c COMMAND.',
    )
})

/** A socket at which nobody listens any more. */
async function deserted(file: string) {
  const server = createServer()
  const moved = `${file}.moved`
  await new Promise<void>(resolve => server.listen(moved, resolve))
  // Node removes the socket by the name that it was given.
  renameSync(moved, file)
  await new Promise(resolve => server.close(resolve))
}

test.for([
  ['the list of those that run', async () => expect(await runningReproductions()).toEqual([])],
  ['the start of another one', removeDeserted],
] as const)('%s removes the socket of one that was killed', async ([, look]) => {
  await deserted(socketFile(44))
  await look()
  expect(existsSync(folder())).toBe(false)
})

test('one that runs keeps its socket, and so does whoever is no socket of ours', async () => {
  await deserted(socketFile(44))
  await reproduction({ name: 'stopped', pid: 11 })
  await deserted(join(base, 'elsewhere'))
  symlinkSync(join(base, 'elsewhere'), socketFile(55))
  writeFileSync(socketFile(66), '')
  await removeDeserted()
  expect(readdirSync(folder()).sort()).toEqual(['11.sock', '55.sock', '66.sock'])
  expect(existsSync(join(base, 'elsewhere'))).toBe(true)
  rmSync(join(base, 'elsewhere'))
})

test('the folder may have gone before a reproduction is served', async () => {
  const file = socketFile(11)
  rmSync(folder(), { recursive: true })
  const server = await serve(file, {} as ReproductionApi)
  expect(readdirSync(folder())).toEqual(['11.sock'])
  await server[Symbol.asyncDispose]()
  expect(existsSync(folder())).toBe(false)
})
