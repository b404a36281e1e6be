import fs from 'node:fs'
import { systemCode } from '../../errors.ts'
import { kindOf } from './folder.ts'
import { isTrusted } from './trust.ts'
import { within } from './within.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants

/** A file that is not as required. The message continues a sentence that names the file. */
class FileRefused extends Error {
  /** For callers that branch on the codes of system errors. */
  readonly code = 'EREFUSED'
  /** What to do about it, for a sentence. */
  readonly advice: string | undefined

  constructor(why: string, advice?: string) {
    super(why)
    this.advice = advice
  }
}

/** What to do about a file that could not be opened, for a sentence; undefined where its kind does not tell. */
export function adviceFor(error: unknown): string | undefined {
  if (error instanceof FileRefused) return error.advice
  return systemCode(error) === 'EACCES' ? 'grant us the permission to read it' : undefined
}

const NOT_A_FILE = 'move it away and put the file in its place'

/**
 * Opens a file that somebody may have put in another's place. It must be a regular file, belong to our user, to root or to
 * the workspace's `owner`, and have one name only: it may be a hard link to a private file. Follows no link and does not
 * block on a FIFO or device. Returns the descriptor. Throws FileRefused or a system error.
 */
export function openRegular(at: string, owner: number, flags = O_RDONLY): number {
  const fd = openWithoutWaiting(at, flags)
  try {
    const stat = fs.fstatSync(fd)
    if (!stat.isFile()) throw new FileRefused(`expected a regular file, found ${kindOf(stat)}`, NOT_A_FILE)
    if (!isTrusted(stat.uid, owner))
      throw new FileRefused(
        `it belongs to user ${stat.uid}, whose files are not read here`,
        `make it belong to user ${owner} (chown), if its content is right`,
      )
    // Zero names are fine: the file was removed or replaced after it was opened.
    if (stat.nlink > 1)
      throw new FileRefused(
        `it has ${stat.nlink} names (hard links), so it may be another file as well; put a copy in its place`,
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
    if (code === 'ELOOP')
      throw new FileRefused(
        'expected a regular file, found a symbolic link',
        'replace the link by the file that it leads to',
      )
    // A FIFO without a reader, opened for writing, or a socket.
    if (code === 'ENXIO')
      throw new FileRefused('expected a regular file, found a FIFO, a socket or a device', NOT_A_FILE)
    throw error
  }
}

/** Reads a file that `openRegular` accepts. Throws FileRefused when it has, or grows to, more than `maxBytes`. */
export function readRegular(at: string, owner: number, maxBytes: number): Buffer {
  const fd = openRegular(at, owner)
  try {
    // One byte more than its size: the file grows when that byte is filled.
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

/** `readRegular` for a file below a workspace; undefined when it does not exist. */
export function readWithin(root: string, file: string, maxBytes: number): Buffer | undefined {
  try {
    return within(root, file, (at, owner) => readRegular(at, owner, maxBytes))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
