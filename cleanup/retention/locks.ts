import { CleanupError, systemCode } from '../errors.ts'
import { taskRegistry } from '../registry/layout.ts'
import { lock, lockFileOf, lockNow, REGISTRY_BYTE, RETENTION_BYTE } from '../registry/locks.ts'
import { LOCK_WAIT_MS } from '../registry/registry-file.ts'

/** Only one retention at a time works in a task. Throws a CleanupError (`lock-held`) when another one does. */
export function lockTask(workspace: string, taskId: string): Disposable {
  const file = lockFile(workspace, taskId)
  try {
    const held = lockNow(file, RETENTION_BYTE)
    if (held) return held
  } catch (error) {
    return unlockedOnFullDisk(error)
  }
  throw new CleanupError(
    'lock-held',
    `Another retention is at work in ${workspace}/${taskId} (byte ${RETENTION_BYTE} of ${file} is locked), so its files were left.`,
  )
}

/** While the registry's own lock is held, no program that respects it changes a status. */
export async function lockRegistry(workspace: string, taskId: string): Promise<Disposable> {
  try {
    return await lock(lockFile(workspace, taskId), REGISTRY_BYTE, LOCK_WAIT_MS)
  } catch (error) {
    return unlockedOnFullDisk(error)
  }
}

const lockFile = (workspace: string, taskId: string): string => lockFileOf(taskRegistry(workspace, taskId))

/**
 * A full disk has no room for a lock file that does not exist yet. Refusing would leave the disk full for ever; going on
 * without a lock is safe, because nobody else can create and hold that file either.
 */
function unlockedOnFullDisk(error: unknown): Disposable {
  const code = systemCode(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return { [Symbol.dispose]: () => {} }
  throw error
}
