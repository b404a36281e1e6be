import fs from 'node:fs'
import { requireResources } from '../limits.ts'
import { backend } from './backend.ts'
import { readProcLink, readProcText } from './proc-file.ts'

/** One descriptor of one process. */
export interface Descriptor {
  pid: number
  fd: number
}

/** The descriptors on each open file, by the file's current absolute path (after a rename, the new one). */
export type OpenFiles = ReadonlyMap<string, readonly Descriptor[]>

/** False without /proc, where open files are unknown. */
export const tellsOpenFiles = backend === 'proc'

/** O_ACCMODE of open(2), which Node does not export. */
const ACCESS_MODE = 0o3

/**
 * The files that processes have open, without devices and pipes, added to those in `before`. A process that we must not
 * inspect adds none. Empty without /proc.
 */
export function readOpenFiles(pids: Iterable<number>, before: OpenFiles = new Map()): OpenFiles {
  const files = new Map([...before].map(([file, holders]) => [file, [...holders]]))
  for (const pid of pids)
    for (const descriptor of listDescriptors(pid)) {
      const target = descriptorTarget(descriptor)
      if (!target?.startsWith('/') || isDevice(target)) continue
      const holders = files.get(target)
      if (holders) holders.push(descriptor)
      else files.set(target, [descriptor])
    }
  return files
}

/** /dev/shm holds regular files in memory, possibly a workspace. */
const isDevice = (target: string): boolean => target.startsWith('/dev/') && !target.startsWith('/dev/shm/')

/** The target of a descriptor: a path, `pipe:[<inode>]`, `socket:[<inode>]` and so on; undefined when it cannot be read. */
export const descriptorTarget = ({ pid, fd }: Descriptor): string | undefined =>
  tellsOpenFiles ? readProcLink(`/proc/${pid}/fd/${fd}`) : undefined

/** True for a descriptor that was opened for writing. Reading an agent's log (a pager, `tail -f`) is not evidence. */
export function isOpenForWriting(descriptor: Descriptor): boolean {
  return accessMode(descriptor) !== fs.constants.O_RDONLY
}

/** True for a descriptor that was opened for reading, and for one that cannot be read. */
export function isOpenForReading(descriptor: Descriptor): boolean {
  return accessMode(descriptor) !== fs.constants.O_WRONLY
}

function accessMode({ pid, fd }: Descriptor): number {
  const flags = /^flags:\s*([0-7]+)/m.exec(readProcText(`/proc/${pid}/fdinfo/${fd}`) ?? '')
  return Number.parseInt(flags?.[1] ?? '0', 8) & ACCESS_MODE
}

/** The inode of the file behind a descriptor; undefined when it cannot be read. */
export function inodeOfDescriptor({ pid, fd }: Descriptor): string | undefined {
  try {
    return String(fs.statSync(`/proc/${pid}/fd/${fd}`, { bigint: true }).ino)
  } catch (error) {
    requireResources(error, `/proc/${pid}/fd/${fd}`)
    return undefined
  }
}

/** The descriptors of a process; none when access to them is denied. Throws a CleanupError (`limit-reached`). */
export function listDescriptors(pid: number): Descriptor[] {
  if (!tellsOpenFiles) return []
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).map(fd => ({ pid, fd: Number(fd) }))
  } catch (error) {
    requireResources(error, `/proc/${pid}/fd`)
    return []
  }
}
