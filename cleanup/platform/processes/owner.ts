import { ownUid } from '../files/trust.ts'
import { readProc } from './proc-file.ts'

/**
 * A process's real uid, or undefined when it is gone or not told. It is read from its status: the owner of its folder
 * in /proc is shown as root when it may not be traced (PR_SET_DUMPABLE), whoever it is.
 */
export function uidOf(pid: number): number | undefined {
  const bytes = readProc(`/proc/${pid}/status`, true)
  const uid = typeof bytes === 'string' ? undefined : /^Uid:\s*(\d+)/m.exec(bytes.toString('latin1'))?.[1]
  return uid === undefined ? undefined : Number(uid)
}

/**
 * True for a process of the user that we work as. root is no exception: it becomes the workspace's owner before it cleans
 * up, and whatever a registry or an environment says, nobody else's process is an agent's. Asked when a process is
 * claimed, and again right before each signal: a process can become another user (`su`, `setpriv`) and stay the same
 * one, and the kernel would let root signal it. One that is gone is nobody else's. Without /proc the kernel alone decides.
 */
export function isOurs(pid: number): boolean {
  const uid = uidOf(pid)
  return uid === undefined || uid === ownUid()
}
