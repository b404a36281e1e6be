import fs from 'node:fs'
import { dirname } from 'node:path'
import { makeFolder, messageOf, openRegular, systemCode, within } from '../../cleanup/orchestrator.ts'

const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY } = fs.constants

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
