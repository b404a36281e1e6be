import fs from 'node:fs'
import { dirname } from 'node:path'
import { makeFolder, messageOf, openRegular, systemCode, within } from '../../cleanup/orchestrator.ts'

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } = fs.constants

/**
 * Appends one line of JSON to a file of the workspace, and makes the file and its folders where they are missing. Never
 * follows a link, and never waits for a FIFO or a device.
 * @throws an Error of one sentence for anything but a regular file of ours, with one hard link, below the workspace
 */
export function appendLine(workspace: string, file: string, line: object): void {
  makeFolder(workspace, dirname(file))
  withFile(workspace, file, O_WRONLY | O_APPEND | O_CREAT, fd =>
    fs.writeFileSync(fd, `${JSON.stringify(line)}\n`),
  )
}

/** Writes a new file of the workspace. Throws as appendLine does, and also when the file exists. */
export function createFile(workspace: string, file: string, text: string): void {
  makeFolder(workspace, dirname(file))
  withFile(workspace, file, O_WRONLY | O_CREAT | O_EXCL, fd => fs.writeFileSync(fd, text))
}

/** The end of a file, and whether the file is longer. */
export interface FileEnd {
  text: string
  isCut: boolean
}

/** Reads the last `maxBytes` of a file of the workspace; undefined when there is none. Throws as appendLine does. */
export function readEnd(workspace: string, file: string, maxBytes: number): FileEnd | undefined {
  try {
    return withFile(workspace, file, O_RDONLY, fd => {
      const { size } = fs.fstatSync(fd)
      const start = Math.max(0, size - maxBytes)
      return { text: readFrom(fd, start, size - start).toString('utf8'), isCut: start > 0 }
    })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Reads `length` bytes from a position on, or fewer at the end of the file. */
export function readFrom(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let filled = 0
  for (let got = -1; got !== 0 && filled < length; filled += got)
    got = fs.readSync(fd, bytes, filled, length - filled, position + filled)
  return bytes.subarray(0, filled)
}

function withFile<T>(workspace: string, file: string, flags: number, use: (fd: number) => T): T {
  const fd = openFile(workspace, file, flags)
  try {
    return use(fd)
  } finally {
    fs.closeSync(fd)
  }
}

/** Opens a file of the workspace; the caller closes it. Throws as appendLine does. */
export function openFile(workspace: string, file: string, flags: number): number {
  try {
    return within(workspace, file, (at, owner) => openRegular(at, owner, flags))
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'EREFUSED' && code !== 'EEXIST') throw error
    const why = code === 'EEXIST' ? 'expected no such file yet, found one' : messageOf(error)
    throw new Error(
      `${file} is refused: ${why}. Nothing was read from it or written to it; remove it, then try again.`,
      { cause: error },
    )
  }
}
