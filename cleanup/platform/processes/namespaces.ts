import fs from 'node:fs'
import { backend } from './backend.ts'
import { readProcLink, statusField } from './proc-file.ts'

/*
 * We also see the processes of containers and sandboxes below us. They have their own numbers and paths: their terminal
 * 34817, their /tmp/tmux-0/default and their server 14 are not ours. Systems without /proc have no such namespaces.
 */

let own: string | undefined

/** True when a process is in our pid namespace, so that a pid in its environment means the same process for us. */
export function sharesPids(pid: number): boolean {
  if (backend !== 'proc') return true
  own ??= readProcLink('/proc/self/ns/pid')
  return own !== undefined && readProcLink(`/proc/${pid}/ns/pid`) === own
}

/**
 * How many pid namespaces a process is in, from ours down: 1 means ours. Everybody may read it, also of a process whose links
 * in /proc are hidden (PR_SET_DUMPABLE, other users). Undefined when the process is gone.
 */
export function namespaceDepth(pid: number): number | undefined {
  if (backend !== 'proc') return 1
  return statusField(pid, 'NSpid')?.trim().split(/\s+/).length
}

/**
 * True when two processes see the same terminals. Each mount of devpts numbers its terminals from 0, so the device number in
 * /proc/<pid>/stat identifies a terminal only together with the mount.
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

/**
 * True when a folder exists, here or in the mount namespace of a process: a workspace that is not seen from here may be the
 * process's all the same.
 */
export function existsFor(pid: number, folder: string): boolean {
  return fs.existsSync(folder) || fs.existsSync(`/proc/${pid}/root${folder}`)
}
