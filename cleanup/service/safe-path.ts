import fs from 'node:fs'
import path from 'node:path'
import { CleanupError } from '../errors.ts'
import { whyUnsafeToRunFrom } from '../platform/files/safe-folder.ts'
import { findProgram } from '../platform/shell.ts'

export interface SafePath {
  /** Undefined when no folder may stay; the service then has its manager's own PATH. */
  path: string | undefined
  /** Why folders were left out, in sentences. */
  omitted: string[]
}

/**
 * The folders of a PATH from which a long-running service of user `uid` may run programs: absolute, each once, and only
 * this user and root can put a program there. Folders that npm adds for its scripts (node_modules/.bin of every folder
 * above) are dropped. Throws a CleanupError (`bad-argument`) when tmux is only in a folder that was left out.
 */
export function safePath(all: string | undefined, uid: number): SafePath {
  const named = [...new Set(all?.split(path.delimiter).filter(Boolean).map(withoutSlash))]
  const checked = named.map(folder => ({ folder, why: whyUnsafe(folder, uid) }))
  const unsafe = checked.filter(({ why }) => why !== undefined)
  const safe = checked.filter(({ why }) => why === undefined).map(({ folder }) => folder)
  const lost = findProgram('tmux', safe)
    ? undefined
    : unsafe.find(({ folder }) => findProgram('tmux', [folder]))
  if (lost)
    throw new CleanupError(
      'bad-argument',
      `The service would find no tmux: it is only in ${lost.folder}, from which a service must not run programs, because ${lost.why}.`,
    )
  return {
    path: safe.length > 0 ? safe.join(path.delimiter) : undefined,
    omitted: unsafe
      .filter(({ folder }) => !isOfNpm(folder) && fs.existsSync(folder))
      .map(({ folder, why }) => `${folder} is left out of the service’s PATH: ${why}.`),
  }
}

function whyUnsafe(folder: string, uid: number): string | undefined {
  if (isOfNpm(folder)) return 'npm adds it only for the scripts that it runs'
  if (!path.isAbsolute(folder)) return 'it is not an absolute path'
  try {
    const unsafe = whyUnsafeToRunFrom(folder, uid)
    if (unsafe) return `${unsafe.why}; ${unsafe.advice}`
    return fs.statSync(folder).isDirectory() ? undefined : 'it is not a folder'
  } catch {
    return 'it cannot be reached'
  }
}

const isOfNpm = (folder: string): boolean => folder.split(path.sep).includes('node_modules')

const withoutSlash = (folder: string): string => folder.replace(/(?<=.)\/+$/, '')
