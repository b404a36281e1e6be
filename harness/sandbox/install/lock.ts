import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { tryLock } from 'fs-native-extensions'
import { CannotMeasureError } from '../../errors.ts'
import { printProblem } from '../../terminal.ts'

/**
 * Runs something that only one rig of this machine may do at a time, and waits for the other one. The kernel releases the
 * lock when its holder dies. One file serves all locks, each by a byte, and stays.
 * @param hash what is locked
 * @param act gets the descriptor that holds the lock; whoever inherits it holds the lock, too
 */
export async function withLock<Result>(
  folder: string,
  hash: string,
  act: (lock: number) => Promise<Result>,
): Promise<Result> {
  const fd = openSync(join(folder, 'lock'), 'a+', 0o600)
  try {
    for (let isTold = false; !isLocked(fd, hash, folder); isTold = true) {
      if (!isTold) printProblem('waiting for an install step that another run has begun ...')
      await delay(200)
    }
    return await act(fd)
  } finally {
    closeSync(fd)
  }
}

/** Whether nobody held the lock until now. */
export function isLocked(fd: number, hash: string, folder: string): boolean {
  try {
    return tryLock(fd, Number.parseInt(hash.slice(0, 8), 16), 1, { shared: false })
  } catch (error) {
    throw new CannotMeasureError(
      `The folder ${folder} cannot be locked (${(error as Error).message}): set XDG_CACHE_HOME to one on a local disk.`,
    )
  }
}
