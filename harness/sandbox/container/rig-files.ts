import { dirname, join } from 'node:path'
import { programFile, projectRoot } from '../../../bin/programs.ts'
import { imageWrappers } from '../claude/in-image.ts'
import { type CopiedFile, filesBelow, linkTo, scriptOf, withFoldersAbove } from '../copied-files.ts'
import { resolveMounts } from '../mounts.ts'
import type { SandboxNeeds } from '../needs.ts'

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
  const { paths, links: named } = resolveMounts(mounts)
  const all: [string, string][] = [...named]
  for (const path of [projectRoot, ...paths])
    if (path.startsWith(tmp)) all.push([path, placeInContainer(path)])
  const claude = imageWrappers(placeInContainer(programFile('fake-claude/main')))
  const files = [...claude.map(scriptOf), ...rigFiles(), ...filesBelow(paths, placeInContainer)]
  // What lies below a link is where the link leads.
  const links = new Set(files.flatMap(({ type, path }) => (type === 'symlink' ? [path] : [])))
  for (const [path, target] of all)
    if (!path.startsWith(tmp) && !links.has(path) && !isBelow(path, links))
      files.push(linkTo(path, placeInContainer(target)))
  return {
    files: withFoldersAbove(files),
    // What contains another comes first: that is there then.
    linksInTmp: all.filter(([path]) => path.startsWith(tmp)).sort(([one], [other]) => (one < other ? -1 : 1)),
    shown: [...paths, ...named.map(([path]) => path)],
  }
}

const isBelow = (path: string, folders: ReadonlySet<string>): boolean =>
  path !== '/' && (folders.has(dirname(path)) || isBelow(dirname(path), folders))

function rigFiles(): CopiedFile[] {
  const probe = programFile('probe')
  const scripts = filesBelow([join(projectRoot, 'harness')], placeInContainer).filter(
    ({ path }) => path.endsWith('.sh') && !path.includes('/harness/test/'),
  )
  return [...scripts, ...(probe.endsWith('.ts') ? sources() : bundles(dirname(probe)))]
}

/** What Node adds to the compiled code beside the bundles needs no new image. */
const bundles = (folder: string): CopiedFile[] =>
  filesBelow([folder], placeInContainer).map(file =>
    file.path.includes('/compiled/') ? { ...file, version: undefined } : file,
  )

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
