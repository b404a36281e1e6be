import fs from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { tryLock } from 'fs-native-extensions'
import { CleanupError, systemCode } from '../errors.ts'
import { openRegular } from './files/regular-file.ts'
import { within } from './files/within.ts'

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants

/**
 * Locks are the kernel's (open file description locks): it drops them when their holder dies, so a cleaner that
 * was killed with -9 blocks nobody, and no lock is ever judged stale by its age. Each covers one byte,
 * so one file serves many locks, and there is nothing to remove afterwards.
 */
export interface Lock extends Disposable {
  readonly fd: number
}

/** The lock on one byte of a file below `root` if it is free now, otherwise undefined. The file is created when missing, and stays. */
export function lockNow(root: string, file: string, byte: number): Lock | undefined {
  return take(root, file, byte, false)
}

/** The same for a lock that others may hold as well, if they take it in this way too. */
export function shareNow(root: string, file: string, byte: number): Lock | undefined {
  return take(root, file, byte, true)
}

function take(root: string, file: string, byte: number, shared: boolean): Lock | undefined {
  // Each lock has a descriptor of its own, because closing is how it is released; Node opens with O_CLOEXEC, so no child inherits it.
  const fd = within(root, file, open)
  let held = false
  try {
    held = tryLock(fd, byte, 1, { shared })
  } finally {
    if (!held) fs.closeSync(fd)
  }
  return held ? { fd, [Symbol.dispose]: () => fs.closeSync(fd) } : undefined
}

function open(at: string, owner: number): number {
  for (;;) {
    try {
      return openRegular(at, owner, O_RDWR)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
    }
    try {
      return fs.openSync(at, O_RDWR | O_NOFOLLOW | O_CREAT | O_EXCL, 0o666)
    } catch (error) {
      // Somebody else has just made it.
      if (systemCode(error) !== 'EEXIST') throw error
    }
  }
}

/** How often one waits while the line moves: somebody may hold the lock for ever and change the registry all the time. */
const MOST_WAITS = 12

/**
 * Waits for the lock for at most `waitMs`, then throws a CleanupError (`lock-held`). It asks again and again
 * instead of blocking in the kernel: a blocked wait occupies one of Node's four worker threads, has no
 * deadline, and would hang for ever behind a holder that somebody stopped. `sign` is something that changes whenever a
 * holder has done its work: as long as it does, the line moves, and the wait begins anew, MOST_WAITS times in all.
 */
export async function lock(
  root: string,
  file: string,
  byte: number,
  waitMs: number,
  sign: () => unknown = () => undefined,
): Promise<Lock> {
  let deadline = performance.now() + waitMs
  let seen = sign()
  let waits = 1
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 1.5, 20)) {
    const held = lockNow(root, file, byte)
    if (held) return held
    if (performance.now() >= deadline) {
      const now = sign()
      if (now === seen || ++waits > MOST_WAITS)
        throw new CleanupError(
          'lock-held',
          `${file} is locked (byte ${byte}) for more than ${waitMs} ms by another process; see who holds it with "lslocks", end or continue that one, then try again.`,
        )
      seen = now
      deadline = performance.now() + waitMs
    }
    // Many waiters that woke together would ask together for ever; the random part spreads them.
    await sleep(pauseMs * (0.5 + Math.random()))
  }
}
