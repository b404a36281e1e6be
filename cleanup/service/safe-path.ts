import fs from 'node:fs'
import path from 'node:path'
import { CleanupError } from '../errors.ts'
import { whyUnsafeToRunFrom } from '../platform/files/safe-folder.ts'

/** The PATH of a service, and what was left out of the one that it was made from. */
export interface SafePath {
  /** Undefined where nothing of it may stay: then the manager's own is used. */
  path: string | undefined
  /** Why folders were left out, in sentences. */
  leftOut: string[]
}

/**
 * The folders of a PATH from which a service of user `uid` may run programs for months: absolute, each once, that nobody but
 * this user and root can put a program into, and not those that npm adds for its scripts (node_modules/.bin of every folder
 * above). Throws a CleanupError (`bad-argument`) when tmux lies only in one that was left out.
 */
export function safePath(all: string | undefined, uid: number): SafePath {
  const named = [...new Set(all?.split(path.delimiter).filter(Boolean).map(withoutSlash))]
  const judged = named.map(folder => ({ folder, why: whyNot(folder, uid) }))
  const left = judged.filter(({ why }) => why !== undefined)
  const safe = judged.filter(({ why }) => why === undefined).map(({ folder }) => folder)
  const lost = isIn('tmux', safe) ? undefined : left.find(({ folder }) => isIn('tmux', [folder]))
  if (lost)
    throw new CleanupError(
      'bad-argument',
      `The service would find no tmux: it lies only in ${lost.folder}, and no service runs programs from there, because ${lost.why}.`,
    )
  return {
    path: safe.length > 0 ? safe.join(path.delimiter) : undefined,
    leftOut: left
      .filter(({ folder }) => !isNpms(folder) && fs.existsSync(folder))
      .map(({ folder, why }) => `${folder} is left out of the service’s PATH: ${why}.`),
  }
}

/** Whether a program of that name is in one of these folders. */
export function isIn(name: string, folders: readonly string[]): boolean {
  return folders.some(folder => {
    try {
      fs.accessSync(path.join(folder, name), fs.constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function whyNot(folder: string, uid: number): string | undefined {
  if (isNpms(folder)) return 'npm adds it for the scripts that it runs'
  if (!path.isAbsolute(folder)) return 'it is not an absolute path'
  try {
    const unsafe = whyUnsafeToRunFrom(folder, uid)
    if (unsafe) return `${unsafe.why}; ${unsafe.advice}`
    return fs.statSync(folder).isDirectory() ? undefined : 'it is no folder'
  } catch {
    return 'it cannot be reached'
  }
}

const isNpms = (folder: string): boolean => folder.split(path.sep).includes('node_modules')

const withoutSlash = (folder: string): string => folder.replace(/(?<=.)\/+$/, '')
