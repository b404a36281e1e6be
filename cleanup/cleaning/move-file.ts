import fs from 'node:fs'
import path from 'node:path'
import { systemCode } from '../errors.ts'
import { giveLike } from '../workspace/owner.ts'

const { COPYFILE_EXCL } = fs.constants
const CHUNK_BYTES = 1 << 18

/**
 * Moves a file into a folder under its own name, or, where that is taken, with a number before the extension; what
 * lies there is never overwritten. Can be killed at any moment and repeated: a file that has arrived is not moved
 * twice. Across devices it copies, syncs, and only then removes. Returns the new path.
 */
export function moveInto(folder: string, file: string): string {
  for (let number = 0; ; number++) {
    const target = path.join(folder, numbered(path.basename(file), number))
    if (hasArrived(file, target) || place(file, target)) {
      fs.unlinkSync(file)
      return target
    }
  }
}

/** Puts the file at the target too; false when the name is taken. */
function place(file: string, target: string): boolean {
  try {
    // A second name, not a rename: link(2) refuses a taken name, rename(2) would overwrite it.
    fs.linkSync(file, target)
    return true
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') return false
    // Another device, or a file system without hard links.
    if (code === 'EXDEV' || code === 'EPERM' || code === 'ENOTSUP' || code === 'EMLINK')
      return copy(file, target)
    throw error
  }
}

function copy(file: string, target: string): boolean {
  if (fs.existsSync(target)) return false
  // Half a copy of a killed cleaner has this name.
  const draft = `${target}.part`
  try {
    // It may be a link that somebody has put there.
    fs.rmSync(draft, { force: true })
    fs.copyFileSync(file, draft, COPYFILE_EXCL)
    const known = fs.statSync(file)
    sync(draft, fd => {
      giveLike(known, fd)
      fs.futimesSync(fd, known.atime, known.mtime)
    })
  } catch (error) {
    // Half a copy on a full disk: it takes the room that others need.
    fs.rmSync(draft, { force: true })
    throw error
  }
  fs.renameSync(draft, target)
  // The new name must be on disk before the old one goes: they are on two disks, and no order holds between those.
  sync(path.dirname(target))
  return true
}

function sync(file: string, before: (fd: number) => void = () => {}): void {
  const fd = fs.openSync(file, 'r')
  try {
    before(fd)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
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
  const [one, two] = [fs.openSync(file, 'r'), fs.openSync(other, 'r')]
  const [here, there] = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)]
  try {
    for (;;) {
      const length = fs.readSync(one, here)
      if (fs.readSync(two, there) !== length || here.compare(there, 0, length, 0, length) !== 0) return false
      if (length === 0) return true
    }
  } finally {
    fs.closeSync(one)
    fs.closeSync(two)
  }
}

function numbered(name: string, number: number): string {
  if (number === 0) return name
  const { name: stem, ext } = path.parse(name)
  return `${stem}.${number}${ext}`
}
