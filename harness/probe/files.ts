import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Layout, patternOf } from '../definition/system.ts'
import { isGone } from '../errors.ts'
import type { FileClass, FileResource, PtyResource } from '../snapshot/snapshot.ts'

/** The classes of files that do not depend on the system. The first pattern that matches decides. */
const classes: [RegExp, FileClass][] = [
  [/\.lock$/, 'lock'],
  [/^\/tmp\/claude-([0-9a-f]+-cwd$|\d+\/[^/]+\/[^/]+\/(?!started$|tasks\/))/, 'temp'],
  [
    /\/\.claude(\.json|\/)|\/claude-cli-nodejs\/|\/cc-socks\/|\/cc-daemon-\d+\/|\/claude-\d+\//,
    'claude state',
  ],
  [/\.tmp\b|\/tmp[.-][^/]*$/, 'temp'],
]

/** Every file below `root`; sockets, links and pipes are files too. Folders are not counted. */
export function readFiles(root: string, layout: Layout, leaveOut: (path: string) => boolean): FileResource[] {
  const found: FileResource[] = []
  const visit = (folder: string) => {
    for (const entry of list(folder)) {
      const path = join(folder, entry.name)
      if (leaveOut(path)) continue
      if (entry.isDirectory()) visit(path)
      else add(found, path, layout)
    }
  }
  visit(root)
  return found
}

function add(found: FileResource[], path: string, layout: Layout): void {
  try {
    const { size } = lstatSync(path)
    found.push({ kind: 'file', id: `file ${path}`, path, class: classify(path, layout), bytes: size })
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

function list(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/** What the system declares goes before what is known of every system. */
function classify(path: string, { files }: Layout): FileClass {
  const declared = files.find(one => patternOf(one.path).test(path))?.class
  return declared ?? classes.find(([pattern]) => pattern.test(path))?.[1] ?? 'other'
}

/** The sandbox has a devpts of its own, so that every terminal in it is the sandbox's. */
export function readPtys(): PtyResource[] {
  return list('/dev/pts')
    .filter(entry => /^\d+$/.test(entry.name))
    .map(entry => ({ kind: 'pty', id: `pty /dev/pts/${entry.name}`, path: `/dev/pts/${entry.name}` }))
}
