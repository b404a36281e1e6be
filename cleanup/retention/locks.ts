import { CleanupError, systemCode } from '../errors.ts'
import { taskRegistry } from '../registry/layout.ts'
import { type Lock, lock, lockFileOf, lockNow, REGISTRY_BYTE, RETENTION_BYTE } from '../registry/locks.ts'
import { LOCK_WAIT_MS } from '../registry/registry-file.ts'

/** Only one retention at a time changes a task's archive. Throws a CleanupError (`lock-held`) when another is at it. */
export function takeTask(workspace: string, taskId: string): Disposable {
  const file = lockFile(workspace, taskId)
  const held = unlessFull(() => {
    const free = lockNow(file, RETENTION_BYTE)
    if (free) return free
    throw new CleanupError(
      'lock-held',
      `Another retention is at work in ${workspace}/${taskId} (byte ${RETENTION_BYTE} of ${file} is locked); its files were left to that one.`,
    )
  })
  return held ?? NO_LOCK
}

/** The registry's own lock: while it is held, no program that keeps to it changes a status. */
export async function takeRegistry(workspace: string, taskId: string): Promise<Disposable> {
  try {
    return await lock(lockFile(workspace, taskId), REGISTRY_BYTE, LOCK_WAIT_MS)
  } catch (error) {
    if (isFull(error)) return NO_LOCK
    throw error
  }
}

const lockFile = (workspace: string, taskId: string): string => lockFileOf(taskRegistry(workspace, taskId))

/**
 * On a full disk a lock file that was never made cannot be made now. To refuse would leave the disk full for ever;
 * and nobody else can have made it, so nobody else holds it.
 */
function unlessFull(take: () => Lock): Lock | undefined {
  try {
    return take()
  } catch (error) {
    if (isFull(error)) return undefined
    throw error
  }
}

export function isFull(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

const NO_LOCK: Disposable = { [Symbol.dispose]: () => {} }
