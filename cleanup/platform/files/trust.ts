import { geteuid } from 'node:process'
import { CleanupError } from '../../errors.ts'

const ROOT = 0

/** Our effective user. On systems without users (Windows), everything counts as root's. */
export const ownUid = (): number => geteuid?.() ?? ROOT

/** True for the owners whose files are read and written: our user, root, and the owner of the file's workspace. */
export function isTrusted(uid: number, workspaceOwner: number): boolean {
  return uid === ownUid() || uid === ROOT || uid === workspaceOwner
}

/**
 * Throws a CleanupError (`not-the-owner`) when we are root and the folder belongs to another user, who, like the agents,
 * could steer a process with root's rights by what they write there. leakrig's commands become the owner first
 * (platform/become-owner.ts); a program that uses the library has to be started as the owner.
 */
export function requireOwner(folder: string, uid: number): void {
  if (ownUid() !== ROOT || uid === ROOT) return
  throw new CleanupError(
    'not-the-owner',
    `${folder} belongs to user ${uid}, and root does not work in it, because its owner could then steer a process with root's rights. Nothing was touched; run this as user ${uid}, or use the leakrig command, which becomes that user.`,
  )
}
