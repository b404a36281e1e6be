import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { test as base, expect, onTestFinished, vi } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { poll } from '../../poll.ts'
import { readProcesses } from '../../probe/processes.ts'
import { removeOldInstalls } from '../../sandbox/install/old.ts'
import { installOnHost } from '../../sandbox/install/on-host.ts'

/** A folder outside of the sandboxes' own ones, with the cache of installs in it. */
const test = base.extend('folder', ({}, { onCleanup }): string => {
  const folder = mkdtempSync('/var/tmp/leakrig-test-')
  spawnSync('chmod', ['755', folder])
  vi.stubEnv('XDG_CACHE_HOME', folder)
  onCleanup(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
})

const inCache = (folder: string) =>
  readdirSync(join(folder, 'leakrig/installs')).filter(name => name !== 'lock')

const ask = join(import.meta.dirname, '../fixtures/ask-sandbox.ts')

/** A command that counts its runs in a file. */
const counting = (folder: string) => `echo run >>${folder}/runs; echo made >"$LEAKRIG_INSTALL/it"`
const runs = (folder: string) => readFileSync(join(folder, 'runs'), 'utf8').split('\n').length - 1

test('what an install step made is shown in the sandbox, read-only, by the same path and variable', async ({
  folder,
}) => {
  needsNamespaces()
  const script =
    'echo $LEAKRIG_INSTALL; cat $LEAKRIG_INSTALL/it; touch $LEAKRIG_INSTALL/x 2>/dev/null || echo read-only'
  const option = `--install=${counting(folder)}; pwd >"$LEAKRIG_INSTALL/where"`
  for (let time = 0; time < 2; time++) {
    const { stdout } = await execa(process.execPath, [ask, option, script])
    const [path = '', ...rest] = stdout.split('\n')
    expect(path).toMatch(new RegExp(`^${folder}/leakrig/installs/[0-9a-f]{16}$`))
    expect(rest).toEqual(['made', 'read-only'])
    expect(readFileSync(join(path, 'where'), 'utf8')).toBe(`${path}\n`)
  }
  expect(runs(folder)).toBe(1)
})

test('it runs again when its command, an input or its folder changes, and not when only a time does', async ({
  folder,
}) => {
  const input = join(folder, 'input')
  mkdirSync(join(input, 'below'), { recursive: true })
  const file = join(input, 'below/file')
  writeFileSync(file, 'one')
  const step = { run: counting(folder), inputs: [input] }
  const first = await installOnHost(step)
  utimesSync(file, 1, 1)
  expect(await installOnHost(step)).toBe(first)
  expect(runs(folder)).toBe(1)
  writeFileSync(file, 'two')
  const second = await installOnHost(step)
  const third = await installOnHost({ ...step, cwd: folder })
  const fourth = await installOnHost({ ...step, run: `${step.run} ` })
  expect(new Set([first, second, third, fourth]).size).toBe(4)
  expect(runs(folder)).toBe(4)
  // Somebody has emptied the cache by hand.
  rmSync(second, { recursive: true })
  await installOnHost(step)
  expect(runs(folder)).toBe(5)
})

test('of several that want it at once, one runs it', async ({ folder }) => {
  const run = `sleep 1; ${counting(folder)}`
  const all = await Promise.all(
    [1, 2, 3].map(() => execa(process.execPath, [ask, `--install=${run}`, 'cat $LEAKRIG_INSTALL/it'])),
  )
  expect(all.map(({ stdout }) => stdout)).toEqual(['made', 'made', 'made'])
  expect(runs(folder)).toBe(1)
})

test('a step that fails is one sentence with the end of its output, and nothing is kept', async ({
  folder,
}) => {
  const run = `for i in $(seq 100); do echo "line $i"; done; echo x >"$LEAKRIG_INSTALL/x"; echo 'no such package' >&2; exit 7`
  await expect(installOnHost({ run })).rejects.toThrow(
    /^The install step "for i in .*" failed \(exit code 7\), and printed: line 94 line 95 .* line 100 no such package: correct it/,
  )
  expect(inCache(folder)).toEqual([])
})

test('a service that a step leaves running holds nothing up', async ({ folder }) => {
  const marker = `9${Math.floor(Math.random() * 1e8)}.5`
  onTestFinished(() => {
    for (const { pid, command } of readProcesses())
      if (command === `sleep ${marker}`) process.kill(pid, 'SIGKILL')
  })
  const step = { run: `(sleep ${marker} &); ${counting(folder)}` }
  expect(await installOnHost(step)).toBe(await installOnHost(step))
  rmSync(await installOnHost(step), { recursive: true })
  await installOnHost(step)
  expect(runs(folder)).toBe(2)
})

test.for(['SIGINT', 'SIGKILL'] as const)(
  'a rig that ends by %s during the step leaves nothing',
  async (signal, { folder }) => {
    const marker = `9${Math.floor(Math.random() * 1e8)}.5`
    const run = `echo half >"$LEAKRIG_INSTALL/half"; setsid sleep ${marker} & sleep ${marker}`
    const sleeping = () => readProcesses().filter(({ command }) => command === `sleep ${marker}`)
    const rig = execa(process.execPath, [ask, `--install=${run}`, 'true'], { reject: false })
    expect(await poll(60_000, async () => sleeping().length === 2 || undefined)).toBe(true)
    expect(inCache(folder)).toHaveLength(1)
    rig.kill(signal)
    await rig
    expect(await poll(10_000, async () => inCache(folder).length === 0 || undefined)).toBe(true)
    // What left the step's session is the step's own doing.
    expect(await poll(10_000, async () => sleeping().length === 1 || undefined)).toBe(true)
    for (const { pid } of sleeping()) process.kill(pid, 'SIGKILL')
    await installOnHost({ run: counting(folder) })
    expect(runs(folder)).toBe(1)
  },
)

test('what was not used for 30 days is removed, and what an interrupted step left', async ({ folder }) => {
  const [old, used] = [await installOnHost({ run: 'echo old' }), await installOnHost({ run: 'echo used' })]
  const half = join(folder, 'leakrig/installs/0123456789abcdef')
  mkdirSync(half)
  const daysAgo = (days: number) => Date.now() / 1000 - days * 24 * 3600
  utimesSync(`${old}.done`, daysAgo(31), daysAgo(31))
  utimesSync(`${used}.done`, daysAgo(31), daysAgo(31))
  // A use is noted.
  await installOnHost({ run: 'echo used' })
  removeOldInstalls(join(folder, 'leakrig/installs'))
  expect([old, `${old}.done`, half, used].map(path => existsSync(path))).toEqual([false, false, false, true])
})

test('wrong steps are refused by what is wrong', async ({ folder }) => {
  await expect(installOnHost({ run: ' ' })).rejects.toThrow(
    /^The install step has an empty command: give one/,
  )
  await expect(installOnHost({ run: 'true', inputs: [`${folder}/none`] })).rejects.toThrow(
    /^The input ".*\/none" of the install step does not exist: name/,
  )
  await expect(installOnHost({ run: 'true', cwd: `${folder}/none` })).rejects.toThrow(
    /^The folder ".*\/none" of the install step does not exist: name one/,
  )
  writeFileSync(join(folder, 'leakrig-file'), '')
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'leakrig-file'))
  await expect(installOnHost({ run: 'true' })).rejects.toThrow(
    /^The folder .* for install steps cannot be made \(ENOTDIR\): make it writable, or set XDG_CACHE_HOME/,
  )
})
