import fs from 'node:fs'
import { within } from './within.ts'

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants
const PERMISSIONS = 0o777

/**
 * Replaces a file below `root` so that a reader, and a machine that loses power, sees the old text or the new one and
 * nothing between. Only for files that are written under a lock: the temporary name is always the same, so what a killed
 * writer left is replaced by the next one instead of piling up. The disk is waited for in place: in another
 * thread the lock would be held until this process, which has /proc to read meanwhile, comes back to it.
 * `isWanted` is asked at the last moment, after the disk was waited for: false leaves the file as it is. Returns its answer.
 */
export function replaceWithin(root: string, file: string, text: string, isWanted = () => true): boolean {
  return within(root, file, at => replaceFile(at, text, isWanted))
}

/** The same for a file that its user has named, wherever it is. */
export function replaceFile(file: string, text: string, isWanted = () => true): boolean {
  const next = `${file}.next`
  const known = fs.lstatSync(file, { throwIfNoEntry: false })
  const mode = known?.isFile() ? known.mode & PERMISSIONS : 0o644
  // Whatever has that name, a link or a FIFO too, is removed and not opened.
  fs.rmSync(next, { force: true })
  try {
    const fd = fs.openSync(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
    try {
      fs.writeFileSync(fd, text)
      fs.fdatasyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
  } catch (error) {
    // Half of it on a full disk: it takes the room that the next attempt needs.
    fs.rmSync(next, { force: true })
    throw error
  }
  if (!isWanted()) {
    fs.rmSync(next, { force: true })
    return false
  }
  fs.renameSync(next, file)
  return true
}
