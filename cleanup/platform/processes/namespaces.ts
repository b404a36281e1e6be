import fs from 'node:fs'
import { backend } from './backend.ts'

/*
 * From where we stand we also see the processes of containers and sandboxes below us. They have numbers and paths of
 * their own: their terminal 34817, their /tmp/tmux-0/default, their server 14 are not ours, however alike they look. Machines without
 * /proc have no such namespaces.
 */

let own: string | undefined

/** True when a process counts processes as we do, so that a pid in its environment is a pid of ours. */
export function sharesPids(pid: number): boolean {
  if (backend !== 'proc') return true
  own ??= link('/proc/self/ns/pid')
  return own !== undefined && link(`/proc/${pid}/ns/pid`) === own
}

/**
 * True when two processes see the same terminals. Each mount of devpts numbers its own from 0, so the device number
 * that the kernel shows in /proc/<pid>/stat means something only together with the mount.
 */
export function shareTerminals(one: number, other: number): boolean {
  if (backend !== 'proc') return true
  const device = terminalsOf(one)
  return device !== undefined && device === terminalsOf(other)
}

function terminalsOf(pid: number): bigint | undefined {
  try {
    return fs.statSync(`/proc/${pid}/root/dev/pts`, { bigint: true }).dev
  } catch {
    return undefined
  }
}

function link(file: string): string | undefined {
  try {
    return fs.readlinkSync(file)
  } catch {
    return undefined
  }
}
