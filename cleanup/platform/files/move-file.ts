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
 * Moves a file from one folder to another, under its own name, or, where that is taken, with a number before the
 * extension; what lies there is never overwritten. Can be killed at any moment and repeated: a file that has arrived is
 * not moved twice. Across devices it copies, syncs, and only then removes. Both folders are held open, so that a link
 * which is put in the place of one leads nothing in or out. Returns the new name.
 */
export function moveInto(target: Folder, from: Folder, name: string): string {
  try {
    for (let number = 0; ; number++) {
      const free = numbered(name, number)
      if (hasArrived(from.at(name), target.at(free)) || place(target, free, from.at(name))) {
        fs.unlinkSync(from.at(name))
        return free
      }
    }
  } catch (error) {
    throw target.named(from.named(error))
  }
}

/** Puts the file at the target too; false when the name is taken. */
function place(target: Folder, name: string, file: string): boolean {
  try {
    // A second name, not a rename: link(2) refuses a taken name, rename(2) would overwrite it.
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
  // Half a copy of a killed cleaner has this name; it may also be a link that somebody has put there.
  const draft = target.at(`${name}.part`)
  fs.rmSync(draft, { force: true })
  try {
    copyContent(file, draft)
  } catch (error) {
    // Half a copy on a full disk: it takes the room that others need.
    fs.rmSync(draft, { force: true })
    throw error
  }
  fs.renameSync(draft, target.at(name))
  // The new name must be on disk before the old one goes: they are on two disks, and no order holds between those.
  target.syncNow()
  return true
}

function copyContent(file: string, draft: string): void {
  using from = held(openRegular(file, ownUid()))
  const { mode, atime, mtime } = fs.fstatSync(from.fd)
  using to = held(fs.openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode & PERMISSIONS))
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let got = fs.readSync(from.fd, chunk); got > 0; got = fs.readSync(from.fd, chunk))
    fs.writeFileSync(to.fd, chunk.subarray(0, got))
  // The mask that new files are made with has taken away from it.
  fs.fchmodSync(to.fd, mode & PERMISSIONS)
  fs.futimesSync(to.fd, atime, mtime)
  fs.fsyncSync(to.fd)
}

/** True when an earlier cleaner was killed between placing this file and removing its old name. */
function hasArrived(file: string, target: string): boolean {
  const there = fs.lstatSync(target, { throwIfNoEntry: false })
  if (!there?.isFile()) return false
  const here = fs.lstatSync(file)
  if (here.dev === there.dev && here.ino === there.ino) return true
  return here.dev !== there.dev && here.size === there.size && haveSameContent(file, target)
}

/** Times would not tell: a file system keeps them more or less exactly, and each in its own way. */
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

const held = (fd: number) => ({ fd, [Symbol.dispose]: () => fs.closeSync(fd) })

function numbered(name: string, number: number): string {
  if (number === 0) return name
  const { name: stem, ext } = path.parse(name)
  return `${stem}.${number}${ext}`
}
