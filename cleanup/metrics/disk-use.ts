import fs from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf, systemCode } from '../errors.ts'
import { FILE_CLASSES, type FileClass, fileClassOf } from './file-classes.ts'

/** What the files of one class take. */
interface ClassUse {
  files: number
  /** Their lengths, in bytes: what `ls` shows. */
  bytes: number
  /** What the file system has set aside for them, in bytes: what `du` shows. A sparse file has less than its length. */
  allocatedBytes: number
}

export interface DiskUse {
  classes: Record<FileClass, ClassUse>
  /** What an unprivileged user may still write on the workspace's file system, in bytes. */
  freeBytes: number
  /** What could not be looked at, in sentences: the figures are then too small. */
  problems: string[]
}

const BYTES_PER_BLOCK = 512
/** After so many files others get their turn: a workspace of months must not hold up a cleanup. */
const FILES_PER_TURN = 200

/**
 * Counts a workspace's files by class, and follows no link. All classes together have as many allocated bytes as
 * `du -s` counts: a file with two names is counted once there, and folders take blocks as well.
 * Throws what a workspace that is not there throws.
 */
export async function diskUse(workspace: string): Promise<DiskUse> {
  const root = fs.realpathSync(workspace)
  const { bavail, bsize } = fs.statfsSync(root)
  const use: DiskUse = { classes: nothing(), freeBytes: bavail * bsize, problems: [] }
  const linked = new Set<string>()
  let seen = 0
  const open: string[][] = [[]]
  for (let inside = open.pop(); inside; inside = open.pop()) {
    const folder = path.join(root, ...inside)
    add(use.classes.folder, statOf(folder))
    for (const entry of list(folder, use.problems)) {
      const at = [...inside, entry.name]
      if (entry.isDirectory()) open.push(at)
      else add(use.classes[fileClassOf(at)], statOf(path.join(folder, entry.name)))
      if (++seen % FILES_PER_TURN === 0) await nextTurn()
    }
  }
  return use

  function add(to: ClassUse, stat: fs.Stats | undefined): void {
    // It was removed while we looked.
    if (!stat) return
    to.files += 1
    to.bytes += stat.size
    if (stat.nlink > 1 && !stat.isDirectory()) {
      const inode = `${stat.dev}:${stat.ino}`
      if (linked.has(inode)) return
      linked.add(inode)
    }
    to.allocatedBytes += stat.blocks * BYTES_PER_BLOCK
  }
}

/** Undefined for what was removed meanwhile, and for a path that the kernel calls too long: somebody nested folders that deep. */
function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function list(folder: string, problems: string[]): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (systemCode(error) !== 'ENOENT')
      problems.push(`${folder} could not be listed, so its files are not counted: ${messageOf(error)}.`)
    return []
  }
}

function nothing(): Record<FileClass, ClassUse> {
  const none = FILE_CLASSES.map(name => [name, { files: 0, bytes: 0, allocatedBytes: 0 }])
  return Object.fromEntries(none)
}
