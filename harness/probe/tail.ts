import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** The last whole lines of a file that any process of the sandbox may have put there; undefined where it is no regular file. */
export function tail(path: string, bytes: number): string | undefined {
  let fd: number
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch {
    return undefined
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) return undefined
    const from = Math.max(0, stat.size - bytes)
    const buffer = Buffer.alloc(Math.min(bytes, stat.size))
    const text = buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, from))
    return from === 0 ? text : text.slice(text.indexOf('\n') + 1)
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}
