import fs from 'node:fs'
import { systemCode } from '../../errors.ts'

/** Writes a file until its disk is full. */
export function fill(file: string): void {
  const fd = fs.openSync(file, 'w')
  try {
    for (;;) fs.writeSync(fd, Buffer.alloc(1024, 'x'))
  } catch (error) {
    if (systemCode(error) !== 'ENOSPC') throw error
  } finally {
    fs.closeSync(fd)
  }
}
