import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, extname, join, relative } from 'node:path'
import { compileEach, readableForAll } from './compiled.ts'
import { type BundleSet, bundleFolder, isUnbundled, type Place, placeOf } from './programs.ts'
import { building, removeOld } from './remove-old.ts'

const hourMs = 3_600_000

/**
 * Makes the bundles of a set where there are none of just these sources, with their compiled code. A program that was
 * bundled takes a quarter of the processor time to start. Where they cannot be written (a read-only clone, a full
 * disk), everything works without, slower. What an interrupted making leaves is in the cache, and a later one removes it.
 * @throws when a source does not parse, or imports what is not there.
 */
export async function ensureBundles(
  set: BundleSet,
  place: Place = placeOf(join(import.meta.dirname, '..')),
): Promise<void> {
  if (isUnbundled()) return
  if (set.starts) await ensureBundles(set.starts, place)
  const folder = bundleFolder(set, place)
  try {
    if (existsSync(folder)) return keep(folder)
    makeFolder(place.cache)
    const temporary = mkdtempSync(join(place.cache, building))
    try {
      await make(set, place, temporary)
      // Of a source that was changed meanwhile nobody knows which text was read.
      if (bundleFolder(set, place) !== folder) return await ensureBundles(set, place)
      // Of several that make them at once, the first wins.
      if (!existsSync(folder)) renameSync(temporary, folder)
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
    removeOld(place.cache)
  } catch (error) {
    if (!cannotWrite.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

const cannotWrite = ['EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT', 'ENOTEMPTY', 'EEXIST']

/** So that nobody removes them as old ones. */
function keep(folder: string): void {
  if (Date.now() - statSync(folder).mtimeMs > hourMs) utimesSync(folder, new Date(), new Date())
}

/** Another user runs what is in it: root's sandbox is nobody's. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder)
  chmodSync(folder, 0o755)
}

async function make(set: BundleSet, place: Place, folder: string): Promise<void> {
  // Only who makes bundles loads the bundler.
  const { bundleProgram } = await import('./rolldown.ts')
  const programs = Object.entries(set.programs)
  await bundleProgram(join(import.meta.dirname, 'start.ts'), join(folder, 'start.mjs'))
  await Promise.all(
    programs.map(async ([name, { source }]) => {
      await bundleProgram(join(place.root, source), join(folder, `${name}.bundle.mjs`))
      const start = join(relative(dirname(name), '.'), 'start.mjs')
      const words = [`import { start } from './${start}'`, `await start('${name}.bundle.mjs')`]
      writeFileSync(join(folder, `${name}.mjs`), `${words.join('\n')}\n`)
    }),
  )
  for (const scripts of set.beside ?? []) copyScripts(join(place.root, scripts), join(folder, scripts))
  if (set.starts) linkTo(set.starts, place, folder)
  await compileEach(set.programs, folder)
  readableForAll(folder)
}

/** All that is not TypeScript: scripts of shells and perl, and links to shells. */
function copyScripts(from: string, to: string): void {
  cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: path =>
      basename(path) !== 'test' && (!['.ts', '.md'].includes(extname(path)) || lstatSync(path).isDirectory()),
  })
}

function linkTo(set: BundleSet, place: Place, folder: string): void {
  const there = relative(place.cache, bundleFolder(set, place))
  for (const name of Object.keys(set.programs))
    if (!name.includes('/')) symlinkSync(join('..', there, `${name}.mjs`), join(folder, `${name}.mjs`))
}
