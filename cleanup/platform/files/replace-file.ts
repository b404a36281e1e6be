import fs from 'node:fs'
import { within } from './within.ts'

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants
const PERMISSIONS = 0o777

/**
 * Replaces a file below `root` atomically: readers, and the disk after a power failure, have the old text or the new one.
 * Only for files that are written under a lock: the temporary name is always the same, so the draft of a killed writer is
 * replaced by the next one. Syncs in this thread: in another one the lock would be held until this thread, which may be
 * reading /proc, gets back to it. `isWanted` is called after the sync, just before the rename; false leaves the file as
 * it is. Returns its result.
 */
export function replaceWithin(root: string, file: string, text: string, isWanted = () => true): boolean {
  return within(root, file, at => replaceFile(at, text, isWanted))
}

/** `replaceWithin` for a path that the user named. */
export function replaceFile(file: string, text: string, isWanted = () => true): boolean {
  const next = `${file}.next`
  const old = fs.lstatSync(file, { throwIfNoEntry: false })
  const mode = old?.isFile() ? old.mode & PERMISSIONS : 0o644
  // Anything of that name, a link or a FIFO included, is removed and not opened.
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
    // A partial draft on a full disk takes space that the next attempt needs.
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
