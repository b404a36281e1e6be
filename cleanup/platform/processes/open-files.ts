import fs from 'node:fs'
import { backend } from './backend.ts'
import { readProc } from './proc-file.ts'

/** One descriptor of one process. */
export interface Descriptor {
  pid: number
  fd: number
}

/** Who has which file open, by the file's absolute path as the kernel knows it now (a renamed file has its new name). */
export type OpenFiles = ReadonlyMap<string, readonly Descriptor[]>

/** False where nothing tells who has which file open: without /proc. */
export const tellsOpenFiles = backend === 'proc'

/** The bits of open(2)'s flags that tell reading from writing; Node does not name the mask. */
const ACCESS_MODE = 0o3

/**
 * The files that processes have open, devices and pipes left out, added to those that are `known` already. Of a process
 * that we may not look into, none. Without /proc there are none at all.
 */
export function readOpenFiles(pids: Iterable<number>, known: OpenFiles = new Map()): OpenFiles {
  const files = new Map([...known].map(([file, holders]) => [file, [...holders]]))
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

/** What lies in /dev/shm are files in memory, and a workspace may be there. */
const isDevice = (target: string): boolean => target.startsWith('/dev/') && !target.startsWith('/dev/shm/')

/** What a descriptor is open on: a path, `pipe:[<inode>]`, `socket:[<inode>]` ...; undefined when that cannot be told. */
export function descriptorTarget({ pid, fd }: Descriptor): string | undefined {
  if (!tellsOpenFiles) return undefined
  try {
    return fs.readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return undefined
  }
}

/**
 * True when a descriptor was opened for writing. A pager or `tail -f` on a log reads it, and reading makes nobody
 * part of an agent.
 */
export function isOpenForWriting({ pid, fd }: Descriptor): boolean {
  const bytes = readProc(`/proc/${pid}/fdinfo/${fd}`)
  const flags = typeof bytes === 'string' ? undefined : /^flags:\s*([0-7]+)/m.exec(bytes.toString('latin1'))
  return (Number.parseInt(flags?.[1] ?? '0', 8) & ACCESS_MODE) !== fs.constants.O_RDONLY
}

function listDescriptors(pid: number): Descriptor[] {
  if (!tellsOpenFiles) return []
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).map(fd => ({ pid, fd: Number(fd) }))
  } catch {
    return []
  }
}
