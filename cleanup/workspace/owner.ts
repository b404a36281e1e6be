import fs from 'node:fs'
import path from 'node:path'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants

/**
 * Gives what root has made in somebody's workspace to whom it would belong otherwise: a registry of root's could not be
 * written by its orchestrator any more. For anybody but root nothing happens.
 */
export function giveLike({ uid, gid }: fs.Stats, fd: number): void {
  if (process.geteuid?.() !== 0 || (uid === 0 && gid === 0)) return
  try {
    fs.fchownSync(fd, uid, gid)
  } catch {
    // A user that this user namespace does not have, or a file system that knows no owners.
  }
}

/** Makes a folder in a workspace and those above it that are missing; each belongs to whom the one above it belongs. */
export function makeFolder(folder: string): void {
  if (fs.existsSync(folder)) return
  const above = path.dirname(folder)
  makeFolder(above)
  fs.mkdirSync(folder, { recursive: true })
  const fd = fs.openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    giveLike(fs.statSync(above), fd)
  } finally {
    fs.closeSync(fd)
  }
}
