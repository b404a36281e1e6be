import fs from 'node:fs'
import path from 'node:path'
import { systemCode } from '../../errors.ts'
import type { Folder } from './folder.ts'
import { openRegular } from './regular-file.ts'
import { ownUid } from './trust.ts'

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants
const PERMISSIONS = 0o777
const CHUNK_BYTES = 1 << 18

/**
 * Moves a file from one folder to another. It keeps its name, or gets a number before the extension when the name is taken:
 * nothing is overwritten. The move can be killed at any moment and repeated: a file that has arrived is not moved twice.
 * Across devices it copies, syncs, and then removes. Both folders are held open, so that a link put in their place has no
 * effect. Returns the new name.
 */
export function moveInto(target: Folder, from: Folder, name: string): string {
  try {
    for (let number = 0; ; number++) {
      const free = numbered(name, number)
      if (hasArrived(from.at(name), target.at(free))) fs.unlinkSync(from.at(name))
      else if (place(target, free, from.at(name))) removeOrUndo(from.at(name), target.at(free))
      else continue
      return free
    }
  } catch (error) {
    throw target.named(from.named(error))
  }
}

/** Removes the old name. Where that is refused, the new one goes: each further try would leave another copy. */
function removeOrUndo(file: string, placed: string): void {
  try {
    fs.unlinkSync(file)
  } catch (error) {
    if (fs.existsSync(file)) fs.rmSync(placed)
    throw error
  }
}

/** Gives the file a second name in the target folder; false when that name is taken. */
function place(target: Folder, name: string, file: string): boolean {
  try {
    // link(2) refuses a name that is taken; rename(2) would overwrite it.
    fs.linkSync(file, target.at(name))
    return true
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') return false
    // Another device, or a file system without hard links.
    if (code === 'EXDEV' || code === 'EPERM' || code === 'ENOTSUP' || code === 'EMLINK')
      return copy(target, name, file)
    throw error
  }
}

function copy(target: Folder, name: string, file: string): boolean {
  if (fs.lstatSync(target.at(name), { throwIfNoEntry: false })) return false
  // A killed cleaner's partial copy has this name. It may also be a link that somebody put there.
  const draft = target.at(`${name}.part`)
  fs.rmSync(draft, { force: true })
  try {
    copyContent(file, draft)
  } catch (error) {
    // A partial copy on a full disk takes space that others need.
    fs.rmSync(draft, { force: true })
    throw error
  }
  fs.renameSync(draft, target.at(name))
  // The new name must be on disk before the old one is removed: two disks guarantee no order between their writes.
  target.syncNow()
  return true
}

function copyContent(file: string, draft: string): void {
  using from = held(openRegular(file, ownUid()))
  const { mode } = fs.fstatSync(from.fd)
  using to = held(fs.openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode & PERMISSIONS))
  // The umask has removed bits from the mode.
  fs.fchmodSync(to.fd, mode & PERMISSIONS)
  appendFrom(from.fd, to.fd, 0)
}

/** True when an earlier cleaner was killed after it created this file and before it removed the old name. */
function hasArrived(file: string, target: string): boolean {
  const there = fs.lstatSync(target, { throwIfNoEntry: false })
  if (!there?.isFile()) return false
  const here = fs.lstatSync(file)
  if (here.dev === there.dev && here.ino === there.ino) return true
  return here.dev !== there.dev && here.size === there.size && haveSameContent(file, target)
}

/** Compares bytes, because file systems store times with different precision. */
function haveSameContent(file: string, other: string): boolean {
  using one = held(openRegular(file, ownUid()))
  using two = held(openRegular(other, ownUid()))
  const [here, there] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)]
  for (;;) {
    const length = fs.readSync(one.fd, here)
    if (fs.readSync(two.fd, there) !== length || here.compare(there, 0, length, 0, length) !== 0) return false
    if (length === 0) return true
  }
}

/** Creates a file under this name, or under a numbered one when the name is taken. Returns its name. */
export function createNumbered(target: Folder, name: string, mode: number): string {
  for (let number = 0; ; number++) {
    const free = numbered(name, number)
    try {
      fs.closeSync(fs.openSync(target.at(free), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode & PERMISSIONS))
      return free
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw target.named(error)
    }
  }
}

/** Copies a file's bytes from a position on to the end of another file, and syncs them to disk. Returns the new position. */
export function appendFrom(from: number, to: number, position: number): number {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  let at = position
  for (let got = -1; got !== 0; at += got) {
    got = fs.readSync(from, chunk, 0, chunk.length, at)
    fs.writeFileSync(to, chunk.subarray(0, got))
  }
  const { atime, mtime } = fs.fstatSync(from)
  fs.futimesSync(to, atime, mtime)
  fs.fsyncSync(to)
  return at
}

const held = (fd: number) => ({ fd, [Symbol.dispose]: () => fs.closeSync(fd) })

function numbered(name: string, number: number): string {
  if (number === 0) return name
  const { name: stem, ext } = path.parse(name)
  return `${stem}.${number}${ext}`
}
