import { ownUid } from '../files/trust.ts'
import { statusField } from './proc-file.ts'

/**
 * A process's real uid; undefined when the process is gone, and without /proc. Read from its `status`, because the owner of
 * its folder in /proc is root for every process that must not be traced (PR_SET_DUMPABLE).
 */
export function uidOf(pid: number): number | undefined {
  const uids = statusField(pid, 'Uid')
  return uids === undefined ? undefined : Number.parseInt(uids, 10)
}

/**
 * True for a process of our effective user, and for one that is gone. Root is no exception: it becomes the workspace's owner
 * before it cleans up, and another user's process is never an agent's, whatever a registry or an environment says. Checked
 * when a process is claimed and again before each signal, because a process can change its user (`su`, `setpriv`) and
 * keep its identity, and the kernel would let root signal it. Always true without /proc, where only the kernel decides.
 */
export function isOurs(pid: number): boolean {
  const uid = uidOf(pid)
  return uid === undefined || uid === ownUid()
}
