import fs from 'node:fs'
import path from 'node:path'
import { type Folder, kindOf } from '../platform/files/folder.ts'
import { classify } from './classes.ts'
import type { SeenFile, TaskPart } from './plan-types.ts'
import { inodeOf } from './writers.ts'

/** Where a file of a task is looked for. */
export interface Place {
  workspace: string
  taskId: string
  part: TaskPart
}

/** The folders of a task in which retention looks. */
export const TASK_PARTS: readonly TaskPart[] = ['archive', 'logs', 'progress', 'findings']

const BYTES_PER_BLOCK = 512n

/** One name of a folder as it is now; undefined when it is gone. */
export function lookAt(
  folder: Folder,
  { workspace, taskId, part }: Place,
  name: string,
): SeenFile | undefined {
  const place = { workspace, taskId, part }
  const stat = fs.lstatSync(folder.at(name), { bigint: true, throwIfNoEntry: false })
  // Node reads names as UTF-8: one that is none comes out altered, cannot be found, and is none that we know.
  if (!stat) return name.includes('\ufffd') ? { ...unreadable(folder, place), name } : undefined
  const known = classify(name)
  const { dev, ino, size, mtimeNs, nlink, blocks } = stat
  return {
    ...place,
    name,
    class: known?.class ?? 'unknown',
    ...(known && { agentId: known.agentId }),
    packed: known?.packed ?? false,
    draft: known?.draft ?? false,
    kind: kindOf(stat),
    bytes: Number(size),
    freesBytes: nlink === 1n ? Number(blocks * BYTES_PER_BLOCK) : 0,
    mtimeMs: Number(mtimeNs / 1_000_000n),
    inode: inodeOf(stat),
    identity: [dev, ino, size, mtimeNs].join(':'),
    device: folder.device,
  }
}

export const pathOf = ({ workspace, taskId, part, name }: SeenFile): string =>
  path.join(workspace, taskId, part, name)

function unreadable(folder: Folder, place: Place): Omit<SeenFile, 'name'> {
  return {
    ...place,
    class: 'unknown',
    packed: false,
    draft: false,
    kind: 'a name that is no text',
    bytes: 0,
    freesBytes: 0,
    mtimeMs: 0,
    inode: '',
    identity: '',
    device: folder.device,
  }
}
