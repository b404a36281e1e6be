import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import type { DescriptorResource, ProcessResource } from '../snapshot/snapshot.ts'

/** A descriptor and what it is open on, as /proc/<pid>/fd shows it: a path, `socket:[4711]`, `pipe:[12]` ... */
export interface OpenDescriptor {
  fd: string
  target: string
}

/** Everything that a process holds open; empty for a zombie, and for a process that ends meanwhile. */
export function openDescriptors(pid: number): OpenDescriptor[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
      const target = readTarget(pid, fd)
      return target ? { fd, target } : []
    })
  } catch {
    return []
  }
}

/** How many of them count. Node opens /dev/null for its first child process and keeps it open, which holds nothing. */
export function countDescriptors(open: OpenDescriptor[]): number {
  return open.filter(({ target }) => target !== '/dev/null').length
}

/** The inodes of the sockets among them. */
export function heldSockets(open: OpenDescriptor[]): string[] {
  return open.flatMap(({ target }) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [])
}

/** The terminals among them. */
export function heldTerminals(open: OpenDescriptor[]): string[] {
  return open.flatMap(({ target }) => (/^\/dev\/pts\/\d+$/.test(target) ? target : []))
}

/** Those that are open on files below `root`, deleted files included. */
export function fileDescriptors(
  process: ProcessResource,
  open: OpenDescriptor[],
  root: string,
): DescriptorResource[] {
  const below = open.filter(({ fd, target }) => target.startsWith(`${root}/`) && isFile(process.pid, fd))
  return below.map(({ fd, target }) => {
    const deleted = target.endsWith(' (deleted)')
    const path = deleted ? target.slice(0, -' (deleted)'.length) : target
    return {
      kind: 'descriptor',
      id: `descriptor ${process.pid}@${process.start}/${fd} ${path}`,
      pid: process.pid,
      comm: process.comm,
      fd: Number(fd),
      path,
      deleted,
      mode: readMode(process.pid, fd),
    }
  })
}

function readTarget(pid: number, fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return undefined
  }
}

/** A named pipe takes no space on the disk. */
function isFile(pid: number, fd: string): boolean {
  try {
    return statSync(`/proc/${pid}/fd/${fd}`).isFile()
  } catch {
    return false
  }
}

/** The access mode is the last octal digit of `flags` in proc_pid_fdinfo(5): 0 read, 1 write, 2 both. */
function readMode(pid: number, fd: string): DescriptorResource['mode'] {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1]
    return (['r', 'w', 'rw'] as const)[Number.parseInt(flags ?? '0', 8) & 3] ?? 'rw'
  } catch {
    return 'rw'
  }
}
