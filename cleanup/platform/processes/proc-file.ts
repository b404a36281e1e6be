import fs from 'node:fs'
import { systemCode } from '../../errors.ts'
import { requireResources } from '../limits.ts'
import { backend } from './backend.ts'

/** One buffer for all reads: a pass over /proc opens thousands of files, most of them smaller than a page. */
let buffer = Buffer.allocUnsafe(1 << 16)

/** The bytes of a file in /proc, `gone` (the process has ended), or `unreadable` (access was denied, or there is no /proc). */
export type ProcRead = Buffer | 'gone' | 'unreadable'

/**
 * Reads a whole file of /proc. The bytes are valid until the next call. `single` is for files of one short record (stat,
 * status, loadavg): one read returns all of it, because the kernel produces the record before it copies any part
 * (single_open in fs/seq_file.c). Other files are read until a read returns nothing. Throws a CleanupError
 * (`limit-reached`) where the limit of open files or of memory is met: what could not be read is not gone.
 */
export function readProc(file: string, single = false): ProcRead {
  if (backend !== 'proc') return 'unreadable'
  let fd: number | undefined
  try {
    fd = fs.openSync(file, 'r')
    let length = 0
    // Files in /proc report no size.
    for (let got = -1; got !== 0; length += got) {
      if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2)
      got = fs.readSync(fd, buffer, length, buffer.length - length, null)
      if (single) return buffer.subarray(0, got)
    }
    return buffer.subarray(0, length)
  } catch (error) {
    return failureOf(file, error)
  } finally {
    if (fd !== undefined) fs.closeSync(fd)
  }
}

/** The text of a file of /proc in latin1, which keeps every byte; undefined when it cannot be read. */
export function readProcText(file: string, single = false): string | undefined {
  const bytes = readProc(file, single)
  return typeof bytes === 'string' ? undefined : bytes.toString('latin1')
}

/** A field of /proc/<pid>/status (proc_pid_status(5)), such as `Uid`; undefined when the process is gone, and without /proc. */
export function statusField(pid: number, name: string): string | undefined {
  const status = readProcText(`/proc/${pid}/status`, true) ?? ''
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]
}

/** The target of a link in /proc; undefined when it cannot be read. */
export function readProcLink(file: string): string | undefined {
  try {
    return fs.readlinkSync(file)
  } catch (error) {
    requireResources(error, file)
    return undefined
  }
}

/** ENOENT and ESRCH mean that the process has ended. Throws for a limit; any other error means that access was denied. */
function failureOf(file: string, error: unknown): 'gone' | 'unreadable' {
  requireResources(error, file)
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ESRCH' ? 'gone' : 'unreadable'
}
