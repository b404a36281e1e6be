import fs from 'node:fs'
import { isOpenForWriting } from '../platform/processes/open-files.ts'
import { readMachine } from '../platform/processes/table.ts'

/** The files that somebody has open for writing, by device and inode. */
export type Writers = ReadonlySet<string>

/**
 * Finds them in one pass over /proc. By inode and not by path: the kernel goes on naming a log by where it was
 * opened ("... (deleted)", once it was moved by a second link), and another mount namespace names it differently.
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

function statOf(descriptor: string): fs.BigIntStats | undefined {
  try {
    return fs.statSync(descriptor, { bigint: true })
  } catch {
    return undefined
  }
}
