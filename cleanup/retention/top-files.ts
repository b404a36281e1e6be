import fs from 'node:fs'
import path from 'node:path'

interface TopFiles {
  /** All files together, in bytes on the disk. */
  bytes: number
  /** The largest files, the largest first. */
  files: { path: string; bytes: number }[]
}

const SHOWN = 10
const BYTES_PER_BLOCK = 512

/** The files of some folders that take the most space on one file system. Follows no link, and counts a file with several names once. */
export function topFiles(folders: readonly string[], device: string): TopFiles {
  const top: TopFiles = { bytes: 0, files: [] }
  const linked = new Set<number>()
  const waiting = [...folders]
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop())
    for (const entry of list(folder)) {
      const file = path.join(folder, entry.name)
      if (entry.isDirectory()) waiting.push(file)
      const stat = statOf(file)
      if (!stat?.isFile() || String(stat.dev) !== device || linked.has(stat.ino)) continue
      if (stat.nlink > 1) linked.add(stat.ino)
      const bytes = stat.blocks * BYTES_PER_BLOCK
      top.bytes += bytes
      top.files.push({ path: file, bytes })
    }
  top.files.sort((a, b) => b.bytes - a.bytes)
  top.files.length = Math.min(top.files.length, SHOWN)
  return top
}

function list(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

function statOf(file: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(file, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
