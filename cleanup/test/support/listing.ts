import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

/** Everything in a folder, by its path: what it is, its inode, size, time of writing, and content. No link is followed. */
export function listing(folder: string): Record<string, string> {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(names.map(name => [path.join(folder, name), describe(path.join(folder, name))]))
}

function describe(file: string): string {
  const { mode, ino, size, mtimeMs, uid } = fs.lstatSync(file)
  const kind = mode.toString(8)
  // A folder's size and time change with what is in it, which is listed by itself.
  if (fs.lstatSync(file).isDirectory()) return `${kind} ${ino} ${uid}`
  return `${kind} ${ino} ${uid} ${size} ${mtimeMs} ${contentOf(file)}`
}

function contentOf(file: string): string {
  const stat = fs.lstatSync(file)
  if (stat.isSymbolicLink()) return fs.readlinkSync(file)
  if (!stat.isFile() || stat.size > 1 << 20) return ''
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex')
}
