import { createHash } from 'node:crypto'
import * as fileLock from '../platform/file-lock.ts'
import { type AgentRef, taskRegistry, workspaceOfFile } from './layout.ts'

/*
 * The byte map of a workspace's lock files. The file beside each registry serves the registry, its agents, their replies and
 * the task's retention. The daemon's lock has its own file (layout.ts).
 */

export type { Lock } from '../platform/file-lock.ts'

/** The registry itself. */
export const REGISTRY_BYTE = 0

/** The workspace's daemon, in the daemon's own lock file. */
export const DAEMON_BYTE = 0

/** An agent's cleanup: 1 plus 40 bits of the hash of its id. Two agents with the same byte only wait for each other. */
export function agentByte(agentId: string): number {
  return 1 + createHash('sha256').update(agentId).digest().readUIntBE(0, 5)
}

/** A task's retention, beyond the bytes of all agents. */
export const RETENTION_BYTE = 2 ** 41

/** The reply that a cleaner inside the agent has not received yet, beyond the byte of the retention. */
export const replyByte = (agentId: string): number => RETENTION_BYTE + agentByte(agentId)

/** The lock file beside a registry. */
export const lockFileOf = (registry: string): string => `${registry}.lock`

/** The lock file that holds an agent's bytes. */
export const agentLockFile = (ref: AgentRef): string => lockFileOf(taskRegistry(ref.workspace, ref.taskId))

/** The lock on a byte of a workspace's lock file, or undefined while another process holds it. */
export const lockNow = (file: string, byte: number): fileLock.Lock | undefined =>
  fileLock.lockNow(workspaceOfFile(file), file, byte)

/** `lockNow` for a lock that several may share. */
export const shareNow = (file: string, byte: number): fileLock.Lock | undefined =>
  fileLock.shareNow(workspaceOfFile(file), file, byte)

/** Waits up to `waitMs` for such a lock; see platform/file-lock.ts for `progress` and for the error. */
export const lock = (
  file: string,
  byte: number,
  waitMs: number,
  progress?: () => unknown,
): Promise<fileLock.Lock> => fileLock.lock(workspaceOfFile(file), file, byte, waitMs, progress)
