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
import {
  type BundleLocation,
  type BundleSet,
  bundleFolder,
  bundleLocationOf,
  isUnbundled,
} from './programs.ts'
import { building, removeOld } from './remove-old.ts'

const hourMs = 3_600_000

/**
 * Makes the bundles of a set, with their compiled code, unless there are bundles of exactly these sources. A bundled program
 * takes a quarter of the processor time to start. Where bundles cannot be written (a read-only clone, a full disk),
 * everything works without them, more slowly. What an interrupted run leaves in the cache, a later one removes.
 * @throws when a source does not parse or imports a missing file
 */
export async function ensureBundles(
  set: BundleSet,
  location: BundleLocation = bundleLocationOf(join(import.meta.dirname, '..')),
): Promise<void> {
  if (isUnbundled()) return
  if (set.starts) await ensureBundles(set.starts, location)
  const folder = bundleFolder(set, location)
  try {
    if (existsSync(folder)) return keep(folder)
    makeFolder(location.cache)
    const temporary = mkdtempSync(join(location.cache, building))
    try {
      await make(set, location, temporary)
      // A source may have changed while it was read.
      if (bundleFolder(set, location) !== folder) return await ensureBundles(set, location)
      // When several processes make them at once, the first one wins.
      if (!existsSync(folder)) renameSync(temporary, folder)
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
    removeOld(location.cache)
  } catch (error) {
    if (!cannotWrite.includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

const cannotWrite = ['EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT', 'ENOTEMPTY', 'EEXIST']

/** Keeps bundles in use from being removed as old ones. */
function keep(folder: string): void {
  if (Date.now() - statSync(folder).mtimeMs > hourMs) utimesSync(folder, new Date(), new Date())
}

/** Readable for all, because root's sandbox runs as nobody. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  mkdirSync(folder)
  chmodSync(folder, 0o755)
}

async function make(set: BundleSet, location: BundleLocation, folder: string): Promise<void> {
  // The bundler is loaded only to make bundles.
  const { bundleProgram } = await import('./rolldown.ts')
  const programs = Object.entries(set.programs)
  await bundleProgram(join(import.meta.dirname, 'start.ts'), join(folder, 'start.mjs'))
  await Promise.all(
    programs.map(async ([name, { source }]) => {
      await bundleProgram(join(location.root, source), join(folder, `${name}.bundle.mjs`))
      const start = join(relative(dirname(name), '.'), 'start.mjs')
      const lines = [`import { start } from './${start}'`, `await start('${name}.bundle.mjs')`]
      writeFileSync(join(folder, `${name}.mjs`), `${lines.join('\n')}\n`)
    }),
  )
  for (const scripts of set.beside ?? []) copyScripts(join(location.root, scripts), join(folder, scripts))
  if (set.starts) linkTo(set.starts, location, folder)
  await compileEach(set.programs, folder)
  readableForAll(folder)
}

/** Copies what is not TypeScript: scripts for sh and perl, and links to shells. */
function copyScripts(from: string, to: string): void {
  cpSync(from, to, {
    recursive: true,
    verbatimSymlinks: true,
    filter: path =>
      basename(path) !== 'test' && (!['.ts', '.md'].includes(extname(path)) || lstatSync(path).isDirectory()),
  })
}

function linkTo(set: BundleSet, location: BundleLocation, folder: string): void {
  const there = relative(location.cache, bundleFolder(set, location))
  for (const name of Object.keys(set.programs))
    if (!name.includes('/')) symlinkSync(join('..', there, `${name}.mjs`), join(folder, `${name}.mjs`))
}
