import { geteuid } from 'node:process'
import { CleanupError } from '../../errors.ts'

const ROOT = 0

/** The user that we act as. Where the system has no users (Windows), everything counts as root's. */
export const ownUid = (): number => geteuid?.() ?? ROOT

/**
 * True for a file's owner whose files are read and written: we, root, and the owner of the workspace that the file lies
 * in. What another user has put there is not even opened for reading.
 */
export function isTrusted(uid: number, workspaceOwner: number): boolean {
  return uid === ownUid() || uid === ROOT || uid === workspaceOwner
}

/**
 * Throws a CleanupError (`not-the-owner`) when we are root and the folder belongs to somebody else: what its owner and
 * the agents write in it would steer a process that may do anything. leakrig's commands become the owner first
 * (cli/become-owner.ts); a program that uses the library starts as the owner.
 */
export function requireOwner(folder: string, uid: number): void {
  if (ownUid() !== ROOT || uid === ROOT) return
  throw new CleanupError(
    'not-the-owner',
    `${folder} belongs to user ${uid}, and root does not work in it, because what its owner writes there would then be done with root's rights. Nothing was touched; run this as user ${uid}, or use the leakrig command, which becomes that user by itself.`,
  )
}
