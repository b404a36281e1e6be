import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { compileEach, compileOnce, isCannotWrite, readableForAll } from './compiled.ts'
import {
  type BundleLocation,
  type BundleSet,
  bundleFolder,
  bundleLocationOf,
  isPackage,
  isUnbundled,
  packedPrograms,
  projectRoot,
} from './programs.ts'
import { building, removeOld } from './remove-old.ts'

const hourMs = 3_600_000

/**
 * Makes the bundles of a set, with their compiled code, unless there are bundles of exactly these sources. A bundled program
 * takes a quarter of the processor time to start. Where bundles cannot be written (a read-only clone, a full disk),
 * everything works without them, more slowly. What an interrupted run leaves in the cache, a later one removes. A package
 * has its bundles already, and only their compiled code is made.
 * @throws when a source does not parse or imports a missing file
 */
export async function ensureBundles(
  set: BundleSet,
  location: BundleLocation = bundleLocationOf(projectRoot),
): Promise<void> {
  if (isPackage) return compileOnce(set.programs, join(projectRoot, packedPrograms))
  if (isUnbundled()) return
  if (set.starts) await ensureBundles(set.starts, location)
  const folder = bundleFolder(set, location)
  try {
    if (existsSync(folder)) return keep(folder)
    makeFolder(location.cache)
    const temporary = mkdtempSync(join(location.cache, building))
    try {
      // The bundler is loaded only to make bundles.
      const { makeBundles } = await import('./make-bundles.ts')
      await makeBundles(set, location.root, temporary)
      if (set.starts) linkTo(set.starts, location, temporary)
      await compileEach(set.programs, temporary)
      readableForAll(temporary)
      // A source may have changed while it was read.
      if (bundleFolder(set, location) !== folder) return await ensureBundles(set, location)
      // When several processes make them at once, the first one wins.
      if (!existsSync(folder)) renameSync(temporary, folder)
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
    removeOld(location.cache)
  } catch (error) {
    if (!isCannotWrite(error)) throw error
  }
}

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

function linkTo(set: BundleSet, location: BundleLocation, folder: string): void {
  const there = relative(location.cache, bundleFolder(set, location))
  for (const name of Object.keys(set.programs))
    if (!name.includes('/')) symlinkSync(join('..', there, `${name}.mjs`), join(folder, `${name}.mjs`))
}
