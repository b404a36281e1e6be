import fs from 'node:fs'
import path from 'node:path'

/** What takes the most space in some folders. */
export interface Usage {
  /** All together, in bytes on the disk. */
  bytes: number
  /** The largest files, the largest first. */
  files: { path: string; bytes: number }[]
}

const SHOWN = 10
const BYTES_PER_BLOCK = 512

/** Walks through folders on one file system. Links are not followed, and a file with several names counts once. */
export function largest(folders: readonly string[], device: string): Usage {
  const usage: Usage = { bytes: 0, files: [] }
  const seen = new Set<number>()
  const waiting = [...folders]
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop())
    for (const entry of list(folder)) {
      const file = path.join(folder, entry.name)
      if (entry.isDirectory()) waiting.push(file)
      const stat = statOf(file)
      if (!stat?.isFile() || String(stat.dev) !== device || seen.has(stat.ino)) continue
      if (stat.nlink > 1) seen.add(stat.ino)
      const bytes = stat.blocks * BYTES_PER_BLOCK
      usage.bytes += bytes
      usage.files.push({ path: file, bytes })
    }
  usage.files.sort((a, b) => b.bytes - a.bytes)
  usage.files.length = Math.min(usage.files.length, SHOWN)
  return usage
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
