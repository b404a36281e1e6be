import fs from 'node:fs'
import { systemCode } from '../../errors.ts'
import { kindOf } from './folder.ts'
import { isTrusted } from './trust.ts'
import { within } from './within.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants

/** A file that is not what it has to be. The message goes on where a sentence names the file. */
class FileRefused extends Error {
  /** As the system's errors have one, so that whoever branches on those meets this one as well. */
  readonly code = 'EREFUSED'
}

/**
 * Opens a file that somebody else may have put in its place. It must be a regular file that belongs to us, to root or to
 * the workspace's `owner`, with one name: a second one (a hard link) may be that of a private file. No link is
 * followed, and a FIFO or a device is not waited for. Returns the descriptor. Throws FileRefused, or what the system says.
 */
export function openRegular(at: string, owner: number, flags = O_RDONLY): number {
  const fd = openWithoutWaiting(at, flags)
  try {
    const stat = fs.fstatSync(fd)
    if (!stat.isFile()) throw new FileRefused(`expected a regular file, found ${kindOf(stat)}`)
    if (!isTrusted(stat.uid, owner))
      throw new FileRefused(`it belongs to user ${stat.uid}, whose files are not read here`)
    // None at all: it was removed or replaced since it was opened.
    if (stat.nlink > 1)
      throw new FileRefused(
        `it has ${stat.nlink} names (hard links), so that it may be another file as well; put a copy in its place`,
      )
    return fd
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
}

function openWithoutWaiting(at: string, flags: number): number {
  try {
    return fs.openSync(at, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ELOOP') throw new FileRefused('expected a regular file, found a symbolic link')
    // A FIFO that nobody reads, opened for writing; a socket.
    if (code === 'ENXIO') throw new FileRefused('expected a regular file, found a FIFO, a socket or a device')
    throw error
  }
}

/**
 * Reads such a file whole. Throws FileRefused for one of more than `maxBytes`, also where it grows while it is read.
 */
export function readRegular(at: string, owner: number, maxBytes: number): Buffer {
  const fd = openRegular(at, owner)
  try {
    // One byte more than it has: if that comes, it grows.
    let bytes = Buffer.allocUnsafe(Math.min(fs.fstatSync(fd).size, maxBytes) + 1)
    let length = 0
    for (let got = -1; got !== 0; length += got) {
      if (length > maxBytes) throw new FileRefused(`it has more than ${maxBytes} bytes`)
      if (length === bytes.length) bytes = Buffer.concat([bytes], Math.min(bytes.length * 2, maxBytes + 1))
      got = fs.readSync(fd, bytes, length, bytes.length - length, null)
    }
    return bytes.subarray(0, length)
  } finally {
    fs.closeSync(fd)
  }
}

/** The same for a file below a workspace: its text, or undefined when there is none. */
export function readWithin(root: string, file: string, maxBytes: number): string | undefined {
  try {
    return within(root, file, (at, owner) => readRegular(at, owner, maxBytes).toString('utf8'))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
