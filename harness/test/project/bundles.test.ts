import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ensureBundles } from '../../../bin/bundle.ts'
import {
  type BundleLocation,
  type BundleSet,
  bundleFolder,
  bundleLocationOf,
  programFile,
} from '../../../bin/programs.ts'

/** A project with one program of two files, and a script beside it. */
const set: BundleSet = {
  programs: { small: { source: 'src/small.ts', warmUpArgs: () => [] } },
  sources: ['src'],
  beside: ['src/scripts'],
}

let location: BundleLocation
beforeEach(async () => {
  location = bundleLocationOf(mkdtempSync(join(tmpdir(), 'leakrig-test-')))
  mkdirSync(join(location.root, 'src/scripts'), { recursive: true })
  for (const name of ['package.json', 'package-lock.json']) write(name, '{}')
  write('src/scripts/hello.sh', 'echo hello')
  write('src/word.ts', `export const word: string = 'first'`)
  write(
    'src/small.ts',
    `import { word } from './word.ts'\n\nif (process.argv[2]) {\n  throw new Error(process.argv[2])\n}\nconsole.log(word)\n`,
  )
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(location.root, { recursive: true })
})

const write = (name: string, text: string) => writeFileSync(join(location.root, name), text)
const bundles = () => readdirSync(location.cache)
const isBundle = () => programFile('small', set, location).endsWith('/small.mjs')

/** Runs the program from where programFile finds it now. */
async function small(...args: string[]) {
  const { stdout, stderr } = await execa(process.execPath, [programFile('small', set, location), ...args], {
    env: { NODE_COMPILE_CACHE: undefined, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
    reject: false,
  })
  return { said: stdout.split('\n').at(-1), log: `${stdout}${stderr}` }
}

test('a changed source is what runs, without and with a bundle of it', async () => {
  await ensureBundles(set, location)
  expect(isBundle()).toBe(true)
  expect((await small()).said).toBe('first')
  write('src/word.ts', `export const word: string = 'second'`)
  expect(isBundle()).toBe(false)
  expect((await small()).said).toBe('second')
  await ensureBundles(set, location)
  expect(isBundle()).toBe(true)
  expect((await small()).said).toBe('second')
  write('src/scripts/hello.sh', 'echo goodbye')
  expect(isBundle()).toBe(false)
  write('src/scripts/hello.sh', 'echo hello')
  write('package-lock.json', '{ "packages": {} }')
  expect(isBundle()).toBe(false)
})

test('a bundle runs compiled code that was made with it, and names the lines of the sources', async () => {
  await ensureBundles(set, location)
  const { log } = await small('on purpose')
  expect(log).toMatch(/small\.bundle\.mjs was accepted/)
  expect(log).toContain(`Error: on purpose\n    at ${location.root}/src/small.ts:4:9\n`)
})

test('LEAKRIG_UNBUNDLED=1 runs the sources', async () => {
  await ensureBundles(set, location)
  vi.stubEnv('LEAKRIG_UNBUNDLED', '1')
  expect(programFile('small', set, location)).toBe(join(location.root, 'src/small.ts'))
  rmSync(location.cache, { recursive: true })
  await ensureBundles(set, location)
  expect(existsSync(location.cache)).toBe(false)
  expect((await small()).said).toBe('first')
})

test('when several processes bundle at once, one wins and nothing else is left', async () => {
  await Promise.all([1, 2, 3].map(() => ensureBundles(set, location)))
  expect(bundles()).toEqual([bundleFolder(set, location).split('/').at(-1)])
  expect((await small()).said).toBe('first')
})

test('the next run removes what was interrupted, and what was not used for a day', async () => {
  await ensureBundles(set, location)
  const [used = ''] = bundles()
  for (const [name, hours] of [
    ['unused', 25],
    ['building-cut', 2],
    ['building-now', 0],
    [used, 23],
  ] as const) {
    const folder = join(location.cache, name)
    mkdirSync(join(folder, 'some'), { recursive: true })
    const then = new Date(Date.now() - hours * 3_600_000)
    utimesSync(folder, then, then)
  }
  write('src/word.ts', `export const word: string = 'second'`)
  await ensureBundles(set, location)
  const now = bundleFolder(set, location).split('/').at(-1)
  expect(bundles().toSorted()).toEqual([now, used, 'building-now'].toSorted())
})

test('a source that changes while it is bundled is bundled again, never under the old name', async () => {
  const before = bundleFolder(set, location)
  const making = ensureBundles(set, location)
  write('src/word.ts', `export const word: string = 'second'`)
  await making
  expect(existsSync(before)).toBe(false)
  expect(isBundle()).toBe(true)
  expect((await small()).said).toBe('second')
})

test('a source that does not parse is an error, and leaves nothing', async () => {
  write('src/word.ts', 'export const = ')
  await expect(ensureBundles(set, location)).rejects.toThrow('word.ts')
  expect(bundles()).toEqual([])
})

test('where nothing can be written, the sources run', async ({ skip }) => {
  skip(process.getuid?.() === 0, 'root may write everywhere')
  chmodSync(location.root, 0o555)
  await ensureBundles(set, location)
  chmodSync(location.root, 0o755)
  expect((await small()).said).toBe('first')
})
