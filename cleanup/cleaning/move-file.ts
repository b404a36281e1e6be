import fs from 'node:fs'
import path from 'node:path'
import { systemCode } from '../errors.ts'

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
  // Half a copy of a killed cleaner has this name, and is overwritten.
  const draft = `${target}.part`
  fs.copyFileSync(file, draft)
  const { atime, mtime } = fs.statSync(file)
  const fd = fs.openSync(draft, 'r+')
  try {
    fs.futimesSync(fd, atime, mtime)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  fs.renameSync(draft, target)
  return true
}

/** True when an earlier cleaner was killed between placing this file and removing its old name. */
function hasArrived(file: string, target: string): boolean {
  const there = fs.lstatSync(target, { throwIfNoEntry: false })
  if (!there) return false
  const here = fs.lstatSync(file)
  if (here.dev === there.dev && here.ino === there.ino) return true
  return here.dev !== there.dev && here.size === there.size && here.mtimeMs === there.mtimeMs
}

function numbered(name: string, number: number): string {
  if (number === 0) return name
  const { name: stem, ext } = path.parse(name)
  return `${stem}.${number}${ext}`
}
