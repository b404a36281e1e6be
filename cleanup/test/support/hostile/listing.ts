import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

/** Everything below some folders, one line each: path, kind, owner, mode, inode, size, time and content. No link is followed. */
export function listing(roots: readonly string[]): string[] {
  return roots.flatMap(root => [describe(root), ...walk(root)]).sort()
}

function walk(folder: string): string[] {
  return fs.readdirSync(folder).flatMap(name => {
    const file = path.join(folder, name)
    return fs.lstatSync(file).isDirectory() ? [describe(file), ...walk(file)] : [describe(file)]
  })
}

function describe(file: string): string {
  const stat = fs.lstatSync(file)
  const { uid, gid, mode, ino, size, mtimeMs } = stat
  const known = [file, uid, gid, mode.toString(8), ino, stat.isDirectory() ? '-' : size, mtimeMs]
  if (stat.isSymbolicLink()) return [...known, fs.readlinkSync(file)].join(' ')
  return stat.isFile() ? [...known, hashOf(file)].join(' ') : known.join(' ')
}

const hashOf = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex')
