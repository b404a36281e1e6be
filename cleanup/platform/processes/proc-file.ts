import fs from 'node:fs'
import { systemCode } from '../../errors.ts'
import { backend } from './backend.ts'

/** One buffer for all reads: a pass over /proc opens thousands of files, most of them smaller than a page. */
let buffer = Buffer.allocUnsafe(1 << 16)

/** What a read of /proc came to: the bytes, `gone` (no such process any more), or `unreadable` (it is there, we may not look). */
export type ProcRead = Buffer | 'gone' | 'unreadable'

/**
 * Reads a whole file of /proc. The bytes are valid until the next call. A file of one short record (`single`: stat,
 * status, loadavg) comes whole in one read, because the kernel makes it whole before it hands any of it out
 * (single_open in fs/seq_file.c); of all others the end is read too.
 */
export function readProc(file: string, single = false): ProcRead {
  if (backend !== 'proc') return 'unreadable'
  let fd: number | undefined
  try {
    fd = fs.openSync(file, 'r')
    let length = 0
    // A /proc file has no size to go by; it is over when a read returns nothing.
    for (let got = -1; got !== 0; length += got) {
      if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2)
      got = fs.readSync(fd, buffer, length, buffer.length - length, null)
      if (single) return buffer.subarray(0, got)
    }
    return buffer.subarray(0, length)
  } catch (error) {
    return missOf(error)
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}

/** ENOENT and ESRCH mean that the process ended while we looked; anything else, that we were not let in. */
function missOf(error: unknown): 'gone' | 'unreadable' {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ESRCH' ? 'gone' : 'unreadable'
}
