import fs from 'node:fs'
import path from 'node:path'
import { type Folder, kindOf } from '../platform/files/folder.ts'
import { classify, type LogClass } from './classes.ts'
import { inodeOf } from './writers.ts'

/** The folders of a task that hold logs. */
export const TASK_PARTS = ['archive', 'logs', 'progress', 'findings'] as const

export interface LogFolder {
  workspace: string
  taskId: string
  part: (typeof TASK_PARTS)[number]
}

/** One name in a folder of logs, as it was when it was read. */
export interface LogFile extends LogFolder {
  name: string
  class: LogClass | 'unknown'
  agentId?: string
  compressed: boolean
  draft: boolean
  /** The file's type in words: `a file`, `a FIFO` ... */
  kind: string
  bytes: number
  /** The bytes on the disk that a removal frees; 0 for a file with further hard links. */
  freesBytes: number
  mtimeMs: number
  /** Device and inode. */
  inode: string
  /** Device, inode, size and modification time: changes when the file is replaced or written. */
  identity: string
  /** The device number of the folder's file system. */
  device: string
}

const BYTES_PER_BLOCK = 512n

/** Undefined when the name no longer exists. */
export function readLogFile(
  folder: Folder,
  { workspace, taskId, part }: LogFolder,
  name: string,
): LogFile | undefined {
  const unreadable: LogFile = {
    ...{ workspace, taskId, part, name, class: 'unknown', compressed: false, draft: false },
    ...{ kind: 'a name that is not UTF-8', bytes: 0, freesBytes: 0, mtimeMs: 0, inode: '', identity: '' },
    device: folder.device,
  }
  const stat = fs.lstatSync(folder.at(name), { bigint: true, throwIfNoEntry: false })
  // Node decodes names as UTF-8, so a name with other bytes comes out altered and is not found again.
  if (!stat) return name.includes('\ufffd') ? unreadable : undefined
  const { dev, ino, size, mtimeNs, nlink, blocks } = stat
  return {
    ...unreadable,
    ...classify(name),
    kind: kindOf(stat),
    bytes: Number(size),
    freesBytes: nlink === 1n ? Number(blocks * BYTES_PER_BLOCK) : 0,
    mtimeMs: Number(mtimeNs / 1_000_000n),
    inode: inodeOf(stat),
    identity: [dev, ino, size, mtimeNs].join(':'),
  }
}

export const pathOf = ({ workspace, taskId, part, name }: LogFile): string =>
  path.join(workspace, taskId, part, name)
