import fs from 'node:fs'
import { readAt } from './lines-from-end.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants
const CHUNK_BYTES = 1 << 18

/**
 * How many bytes of a regular file follow its leading zeros; 0 for anything else. A writer that keeps its place in a file that
 * is truncated under it writes on from there, and the kernel fills the gap with zeros.
 */
export function bytesOfText(file: string): number {
  let fd: number | undefined
  try {
    fd = fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    const stat = fs.fstatSync(fd)
    return stat.isFile() ? stat.size - leadingZeros(fd, stat.size) : 0
  } catch {
    return 0
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}

function leadingZeros(fd: number, size: number): number {
  // Nearly every log begins with text: then one byte is enough.
  for (let at = 0, length = 1; at < size; at += length, length = CHUNK_BYTES) {
    const text = readAt(fd, at, length).findIndex(byte => byte !== 0)
    if (text !== -1) return at + text
  }
  return size
}
