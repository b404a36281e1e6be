import { createHash } from 'node:crypto'
import * as fileLock from '../platform/file-lock.ts'
import { type AgentRef, taskRegistry, workspaceOfFile } from './layout.ts'

/*
 * The byte map of a workspace's lock files. One file beside each registry serves the registry, its agents, their replies
 * and the task's retention; the daemon's lock has a file of its own (layout.ts).
 */

export type { Lock } from '../platform/file-lock.ts'

/** The registry itself. */
export const REGISTRY_BYTE = 0

/** The one daemon of a workspace, in the daemon's own lock file. */
export const DAEMON_BYTE = 0

/** One agent's cleanup: 40 bits of the hash of its id, so two ids that share a byte only wait for each other. */
export function agentByte(agentId: string): number {
  return 1 + createHash('sha256').update(agentId).digest().readUIntBE(0, 5)
}

/** The retention of a task. It lies beyond the bytes of all agents. */
export const RETENTION_BYTE = 2 ** 41

/** The replies that a cleaner inside an agent has not sent yet. They lie beyond the byte of the retention. */
export const replyByte = (agentId: string): number => RETENTION_BYTE + agentByte(agentId)

/** The lock file beside a registry. */
export const lockFileOf = (registry: string): string => `${registry}.lock`

/** The lock file that holds an agent's bytes. */
export const agentLockFile = (ref: AgentRef): string => lockFileOf(taskRegistry(ref.workspace, ref.taskId))

/** The lock on a byte of a workspace's lock file if it is free now, otherwise undefined. */
export const lockNow = (file: string, byte: number): fileLock.Lock | undefined =>
  fileLock.lockNow(workspaceOfFile(file), file, byte)

/** The same for a lock that several may hold if all of them take it this way. */
export const shareNow = (file: string, byte: number): fileLock.Lock | undefined =>
  fileLock.shareNow(workspaceOfFile(file), file, byte)

/** Waits for such a lock for at most `waitMs`; see platform/file-lock.ts for `sign` and for what is thrown. */
export const lock = (
  file: string,
  byte: number,
  waitMs: number,
  sign?: () => unknown,
): Promise<fileLock.Lock> => fileLock.lock(workspaceOfFile(file), file, byte, waitMs, sign)
