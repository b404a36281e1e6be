import fs from 'node:fs'

/** How far back lines are listed, and how far back the beginning of the last one of them is searched for, in bytes. */
export interface Reach {
  listBytes: number
  mostBytes: number
}

const CHUNK_BYTES = 1 << 18
const LINE_FEED = 0x0a
/** A file that was cut short while a writer kept its place in it has zeros up to that place: no text goes on over them. */
const ZERO = 0

/**
 * The lines of a file, the last one first, each whole and without its line feed; empty lines are left out. The last line
 * may lack a line feed. The generator returns false when the reach left a line without its beginning.
 */
export function* linesFromEnd(fd: number, { listBytes, mostBytes }: Reach): Generator<Buffer, boolean> {
  const { size } = fs.fstatSync(fd)
  /** The parts of a line whose beginning has not been read yet. */
  let parts: Buffer[] = []
  for (let end = size; end > 0; ) {
    const passed = size - end
    if (passed >= mostBytes || (passed >= listBytes && parts.length === 0)) return parts.length === 0
    const start = Math.max(0, end - CHUNK_BYTES)
    const chunk = readAt(fd, start, end - start)
    let to = chunk.length
    for (let at = chunk.length - 1; at >= 0; at--) {
      if (chunk[at] !== LINE_FEED && chunk[at] !== ZERO) continue
      if (at + 1 < to || parts.length > 0) yield Buffer.concat([chunk.subarray(at + 1, to), ...parts])
      parts = []
      to = at
      if (size - start - at >= listBytes) return true
    }
    if (to > 0) parts.unshift(chunk.subarray(0, to))
    end = start
  }
  if (parts.length > 0) yield Buffer.concat(parts)
  return true
}

/** Fewer bytes where the file has become shorter. */
export function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let filled = 0
  for (let got = -1; got !== 0 && filled < length; filled += got)
    got = fs.readSync(fd, bytes, filled, length - filled, position + filled)
  return bytes.subarray(0, filled)
}
