import fs from 'node:fs'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf, systemCode, withoutStop } from '../errors.ts'
import { FILE_CLASSES, type FileClass, fileClassOf } from './file-classes.ts'

/** The files of one class. */
interface ClassUse {
  files: number
  /** Their total length in bytes, as `ls` shows it. */
  bytes: number
  /** The bytes that the file system allocated for them, as `du` shows them; less than the length for a sparse file. */
  allocatedBytes: number
}

export interface DiskUse {
  classes: Record<FileClass, ClassUse>
  /** The bytes that an unprivileged user can still write on the workspace's file system. */
  freeBytes: number
  /** Folders that could not be read, in sentences; the figures are then too small. */
  problems: string[]
}

const BYTES_PER_BLOCK = 512
/** Files read in one turn of the event loop, so that a workspace with months of files does not delay a cleanup. */
const FILES_PER_TURN = 200

/**
 * Counts a workspace's files by class, and follows no link. The allocated bytes of all classes together equal those of
 * `du -s`, which counts a file with two names once, and the blocks of folders too. Throws for a missing workspace.
 */
export async function diskUse(workspace: string): Promise<DiskUse> {
  const root = fs.realpathSync(workspace)
  const { bavail, bsize } = fs.statfsSync(root)
  const use: DiskUse = { classes: nothing(), freeBytes: bavail * bsize, problems: [] }
  const linked = new Set<string>()
  let entries = 0
  const open: string[][] = [[]]
  for (let inside = open.pop(); inside; inside = open.pop()) {
    const folder = path.join(root, ...inside)
    add(use.classes.folder, statOf(folder))
    for (const entry of list(folder, use.problems)) {
      const at = [...inside, entry.name]
      if (entry.isDirectory()) open.push(at)
      else add(use.classes[fileClassOf(at)], statOf(path.join(folder, entry.name)))
      if (++entries % FILES_PER_TURN === 0) await nextTurn()
    }
  }
  return use

  function add(to: ClassUse, stat: fs.Stats | undefined): void {
    // The file was removed meanwhile.
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

/** Undefined for a file that was removed meanwhile, and for a path that is too long for the kernel (deeply nested folders). */
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
      problems.push(
        `${folder} could not be listed, so its files are not counted: ${withoutStop(messageOf(error))}.`,
      )
    return []
  }
}

function nothing(): Record<FileClass, ClassUse> {
  const none = FILE_CLASSES.map(name => [name, { files: 0, bytes: 0, allocatedBytes: 0 }])
  return Object.fromEntries(none)
}
