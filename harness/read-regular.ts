import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs'

/** Bytes. */
export const mega = 1e6

/**
 * Reads a file that a user names. Opening a FIFO waits for its writer, and a device such as /dev/zero never ends.
 * @param limit the most bytes that are read
 * @throws an error whose message says what keeps it from being read, to stand after "it cannot be read:"
 */
export function readRegular(file: string, limit = 16 * mega): string {
  requireRegular(file)
  const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants
  const fd = openSync(file, O_RDONLY | O_NONBLOCK | O_NOCTTY)
  try {
    // It may be another one than a moment ago.
    const found = fstatSync(fd)
    refuseOther(found)
    return readTo(fd, Math.min(found.size, limit), limit)
  } finally {
    closeSync(fd)
  }
}

/** The same question before somebody else reads the file, such as the import of a module. */
export const requireRegular = (file: string): void => refuseOther(statSync(file))

function refuseOther(found: Stats): void {
  if (found.isDirectory()) throw new Error('it is a folder')
  if (!found.isFile()) throw new Error('it is no regular file')
}

/** The files of /proc say that they are empty, and a file may grow while it is read. */
function readTo(fd: number, expected: number, limit: number): string {
  const chunks: Buffer[] = []
  let total = 0
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.max(expected - total, 0) + 4096)
    const count = readSync(fd, chunk)
    if (count === 0) return Buffer.concat(chunks).toString('utf8')
    chunks.push(chunk.subarray(0, count))
    total += count
    if (total > limit) throw new Error(`it has more than ${limit / mega} MB`)
  }
}
