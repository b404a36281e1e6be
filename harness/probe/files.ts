import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isGone } from '../errors.ts'
import type { FileClass, FileResource, PtyResource } from '../snapshot/snapshot.ts'

/** The class of each file of the report's layout. The first pattern that matches decides. */
const classes: [RegExp, FileClass][] = [
  [/\/\.agent-workspace\/[^/]+\/archive\//, 'archive'],
  [/\/agent_prompt_[^/]*\.txt$/, 'prompt'],
  [/_stream(?:[.-]\d[\d.:TZ_-]*)?\.jsonl(?:[.-]\d[\d.:TZ_-]*)?$/, 'stream log'],
  [/_progress\.jsonl$/, 'progress'],
  [/_findings\.jsonl$/, 'findings'],
  [/\/deploy_[^/]*\.(json|stderr)$/, 'deploy log'],
  [/\/(AGENT|GLOBAL)_REGISTRY\.json$/, 'registry'],
  [/\.lock$/, 'lock'],
  [/^\/tmp\/claude-([0-9a-f]+-cwd$|\d+\/[^/]+\/[^/]+\/(?!started$|tasks\/))/, 'temp'],
  [
    /\/\.claude(\.json|\/)|\/claude-cli-nodejs\/|\/cc-socks\/|\/cc-daemon-\d+\/|\/claude-\d+\//,
    'claude state',
  ],
  [/\.tmp\b|\/tmp[.-][^/]*$/, 'temp'],
]

/** Every file below `root`; sockets, links and pipes are files too. Folders are not counted. */
export function readFiles(root: string, leaveOut: (path: string) => boolean): FileResource[] {
  const found: FileResource[] = []
  const visit = (folder: string) => {
    for (const entry of list(folder)) {
      const path = join(folder, entry.name)
      if (leaveOut(path)) continue
      if (entry.isDirectory()) visit(path)
      else add(found, path)
    }
  }
  visit(root)
  return found
}

function add(found: FileResource[], path: string): void {
  try {
    const { size } = lstatSync(path)
    found.push({ kind: 'file', id: `file ${path}`, path, class: classify(path), bytes: size })
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

function classify(path: string): FileClass {
  return classes.find(([pattern]) => pattern.test(path))?.[1] ?? 'other'
}

/** The sandbox has a devpts of its own, so that every terminal in it is the sandbox's. */
export function readPtys(): PtyResource[] {
  return list('/dev/pts')
    .filter(entry => /^\d+$/.test(entry.name))
    .map(entry => ({ kind: 'pty', id: `pty /dev/pts/${entry.name}`, path: `/dev/pts/${entry.name}` }))
}
