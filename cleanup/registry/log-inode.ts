import type fs from 'node:fs'
import { exactStatAt } from '../platform/files/stat-at.ts'
import type { AgentEntry } from './entries.ts'

/** A file's number on its file system. Devices are numbered anew at each boot, so they are not compared. */
export const inodeText = ({ ino }: fs.BigIntStats): string => String(ino)

/**
 * The inode of an agent's stream log, which a deploy may record as `log_inode` after it has created the log. The agent can
 * write the registry, so it never decides what is ended, moved or removed.
 */
export function recordedInode({ log_inode }: AgentEntry): string | undefined {
  return typeof log_inode === 'string' && /^\d{1,20}$/.test(log_inode) ? log_inode : undefined
}

/** The inode at a path, whatever it is; undefined when nothing is there. A link is not followed. */
export function inodeAt(file: string): string | undefined {
  const stat = exactStatAt(file)
  return stat && inodeText(stat)
}
