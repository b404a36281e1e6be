import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { programFile, projectRoot } from '../../../bin/programs.ts'
import { resolveMounts } from '../mounts.ts'
import type { SandboxNeeds } from '../needs.ts'
import { type CopiedFile, filesBelow, linkTo, withFoldersAbove } from './files.ts'

/** What an image has to hold for a run, and what only a started container can have. */
export interface RunFiles {
  files: CopiedFile[]
  /** Links below /tmp, which is empty when a container starts, each with its target. */
  linksInTmp: [path: string, target: string][]
  /** Paths that are not the sandbox's own, besides the project. */
  shown: string[]
}

const tmp = '/tmp/'
const store = '/.leakrig'

/** Where a file of this machine lies in a container: under its own path, or if that is below /tmp in a folder beside it. */
export const placeInContainer = (path: string): string => (path.startsWith(tmp) ? store + path : path)

/** The rig's own programs and scripts, and the mounts. */
export function runFiles({ mounts = [] }: SandboxNeeds): RunFiles {
  const { paths, links } = resolveMounts(mounts)
  const all: [string, string][] = [...links]
  for (const path of [projectRoot, ...paths])
    if (path.startsWith(tmp)) all.push([path, placeInContainer(path)])
  const files = [...rigFiles(), ...filesBelow(paths, placeInContainer)]
  for (const [path, target] of all)
    if (!path.startsWith(tmp)) files.push(linkTo(path, placeInContainer(target)))
  return {
    files: withFoldersAbove(files),
    linksInTmp: all.filter(([path]) => path.startsWith(tmp)),
    shown: [...paths, ...links.map(([path]) => path)],
  }
}

function rigFiles(): CopiedFile[] {
  const probe = programFile('probe')
  const scripts = filesBelow([join(projectRoot, 'harness')], placeInContainer).filter(
    ({ path }) => path.endsWith('.sh') && !path.includes('/harness/test/'),
  )
  return [...scripts, ...(probe.endsWith('.ts') ? sources() : bundles(dirname(probe)))]
}

/** A folder of bundles is named after its content, and what Node adds to its compiled code needs no new image. */
function bundles(folder: string): CopiedFile[] {
  const own = filesBelow([folder], placeInContainer).map(file => ({ ...file, version: '' }))
  return [...own, ...nativeModule(folder)]
}

/** The native code that bundles load from the first node_modules above them (bin/rolldown.ts). */
function nativeModule(folder: string): CopiedFile[] {
  const name = join(folder, 'node_modules/fs-native-extensions')
  if (!existsSync(name)) return folder === dirname(folder) ? [] : nativeModule(dirname(folder))
  const target = realpathSync(name)
  const isForOthers = /\/prebuilds\/(?!linux-)/
  const files = filesBelow([target], placeInContainer).filter(({ path }) => !isForOthers.test(path))
  return target === name ? files : [...files, linkTo(placeInContainer(name), placeInContainer(target))]
}

/** For LEAKRIG_UNBUNDLED, and a clone in which no bundles can be made. */
function sources(): CopiedFile[] {
  const folders = ['bin', 'cleanup', 'fake-claude', 'harness', 'node_modules', 'package.json']
  const all = filesBelow(
    folders.map(name => join(projectRoot, name)),
    placeInContainer,
  )
  const cache = placeInContainer(join(projectRoot, 'node_modules/.cache'))
  return all.filter(({ path }) => path !== cache && !path.startsWith(`${cache}/`))
}
