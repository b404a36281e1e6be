import { statAt } from './stat-at.ts'

/** A file in a plan. */
export interface FileEntry {
  /** Its absolute path. */
  file: string
  /** 0 for anything but a regular file. */
  bytes: number
  /** Time since it was last written, in ms. */
  ageMs: number
}

/** A file with its size and age in a list of one; an empty list when there is no such file. A link is not followed. */
export function describeFile(file: string): FileEntry[] {
  const stat = statAt(file)
  return stat ? [{ file, bytes: stat.isFile() ? stat.size : 0, ageMs: Date.now() - stat.mtimeMs }] : []
}
