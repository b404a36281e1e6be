import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

/**
 * Describes everything below a folder, by path: mode, inode, owner, size, time of the last write, and content. Does not
 * follow symbolic links. Leaves out size and time of folders, which change with the entries, unless `folderTimes` is true.
 */
export function listing(folder: string, folderTimes = false): Record<string, string> {
  return Object.fromEntries(
    walk(folder)
      .sort()
      .map(file => [file, describe(file, folderTimes)]),
  )
}

function walk(folder: string): string[] {
  return fs.readdirSync(folder).flatMap(name => {
    const file = path.join(folder, name)
    return fs.lstatSync(file).isDirectory() ? [file, ...walk(file)] : [file]
  })
}

/** The same for one path. */
export function describe(file: string, folderTimes = false): string {
  const stat = fs.lstatSync(file)
  const { mode, ino, uid, gid, size, mtimeMs } = stat
  const known = `${mode.toString(8)} ${ino} ${uid} ${gid}`
  if (stat.isDirectory()) return folderTimes ? `${known} ${mtimeMs}` : known
  return `${known} ${size} ${mtimeMs} ${contentOf(file, stat)}`
}

function contentOf(file: string, stat: fs.Stats): string {
  if (stat.isSymbolicLink()) return fs.readlinkSync(file)
  if (!stat.isFile() || stat.size > 1 << 20) return ''
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex')
}
