import fs from 'node:fs'
import { isOpenForWriting } from '../platform/processes/open-files.ts'
import { readMachine } from '../platform/processes/table.ts'

/** The files that a process has open for writing, by device and inode (`inodeOf`). */
export type Writers = ReadonlySet<string>

/**
 * Reads /proc once. Files are compared by inode because their paths mislead: the kernel keeps the path under which a log
 * was opened ("... (deleted)" after a move by link and unlink), and a process in another mount namespace has another path.
 * Throws a CleanupError (`processes-hidden`) where /proc does not show all processes.
 */
export async function readWriters(): Promise<Writers> {
  const { openFiles } = await readMachine()
  const writers = new Set<string>()
  for (const holders of openFiles.values())
    for (const holder of holders) {
      if (!isOpenForWriting(holder)) continue
      const stat = statOf(`/proc/${holder.pid}/fd/${holder.fd}`)
      if (stat?.isFile()) writers.add(inodeOf(stat))
    }
  return writers
}

export const inodeOf = ({ dev, ino }: fs.BigIntStats): string => `${dev}:${ino}`

/** Undefined when the process closed the descriptor or ended. */
function statOf(descriptor: string): fs.BigIntStats | undefined {
  try {
    return fs.statSync(descriptor, { bigint: true })
  } catch {
    return undefined
  }
}
