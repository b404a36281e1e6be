import fs from 'node:fs'
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { tryLock } from 'fs-native-extensions'
import { CleanupError, messageOf, systemCode } from '../errors.ts'
import { fileSystemOf } from './files/file-system.ts'
import { openRegular } from './files/regular-file.ts'
import { within } from './files/within.ts'

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants

/**
 * A lock of the kernel (an open file description lock). The kernel releases it when its holder dies, so a cleaner that was
 * killed with -9 blocks nobody, and no lock has to be judged stale by its age. Each covers one byte, so one file serves
 * many locks and stays.
 */
export interface Lock extends Disposable {
  readonly fd: number
}

/**
 * The lock on one byte of a file below `root`, or undefined while another process holds it. Creates the file if it is
 * missing. Throws a CleanupError (`cannot-lock`) on a file system without such locks, and where something else is in the
 * file's place.
 */
export function lockNow(root: string, file: string, byte: number): Lock | undefined {
  return acquire(root, file, byte, false)
}

/** `lockNow` for a shared lock, which several may hold if all of them acquire it this way. */
export function shareNow(root: string, file: string, byte: number): Lock | undefined {
  return acquire(root, file, byte, true)
}

function acquire(root: string, file: string, byte: number, shared: boolean): Lock | undefined {
  // One descriptor per lock, because closing it releases the lock. Node opens with O_CLOEXEC, so no child inherits it.
  const fd = openLock(root, file)
  let held = false
  try {
    held = tryLock(fd, byte, 1, { shared })
  } catch (error) {
    throw cannotLock(file, error)
  } finally {
    if (!held) fs.closeSync(fd)
  }
  return held ? { fd, [Symbol.dispose]: () => fs.closeSync(fd) } : undefined
}

function cannotLock(file: string, error: unknown): CleanupError {
  const place = fileSystemOf(file)
  return new CleanupError(
    'cannot-lock',
    `The lock file ${file} could not be locked (${lockFailure(error)})${place ? `; it is on ${place}` : ''}. Nothing was changed without the lock; mount that file system with fcntl locks (NFS needs a lock service, or "local_lock=all" where one machine uses it), or move the workspace to a local disk.`,
    { cause: error },
  )
}

/** Opens the lock file. Errors of the system, such as a missing folder, are for the caller to judge. */
function openLock(root: string, file: string): number {
  try {
    return within(root, file, open)
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'EREFUSED' && code !== 'EISDIR') throw error
    throw new CleanupError(
      'cannot-lock',
      `The lock file ${file} could not be opened: ${messageOf(error)}. Nothing was changed without the lock; remove what is in its place, then try again.`,
      { cause: error },
    )
  }
}

/** libuv has no name for some errors, and then says "Unknown system error -37". */
function lockFailure(error: unknown): string {
  const number = Number(/^Unknown system error -(\d+)$/.exec(systemCode(error) ?? '')?.[1])
  const name = Object.entries(os.constants.errno).find(([, errno]) => errno === number)?.[0]
  const code = name ?? systemCode(error) ?? messageOf(error)
  return MEANINGS[code] ? `${code}, ${MEANINGS[code]}` : code
}

const MEANINGS: Partial<Record<string, string>> = {
  ENOLCK: 'no locks available',
  ENOSYS: 'not implemented',
  EOPNOTSUPP: 'not supported',
  ENOTSUP: 'not supported',
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
      // Another process has just created it.
      if (systemCode(error) !== 'EEXIST') throw error
    }
  }
}

/** How often the wait may start over: a process may hold the lock for ever and keep changing the registry. */
const MOST_WAITS = 12

/**
 * Waits up to `waitMs` for the lock, then throws a CleanupError (`lock-held`). It polls instead of blocking in the kernel: a
 * blocked wait occupies one of Node's four worker threads, has no deadline, and would hang behind a stopped holder.
 * `progress` returns a value that changes whenever a holder has finished its work. While it changes, the queue moves, and the
 * wait starts over, at most MOST_WAITS times.
 */
export async function lock(
  root: string,
  file: string,
  byte: number,
  waitMs: number,
  progress: () => unknown = () => undefined,
): Promise<Lock> {
  let deadline = performance.now() + waitMs
  let before = progress()
  let waits = 1
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 1.5, 20)) {
    const held = lockNow(root, file, byte)
    if (held) return held
    if (performance.now() >= deadline) {
      const now = progress()
      if (now === before || ++waits > MOST_WAITS)
        throw new CleanupError(
          'lock-held',
          `${file} (byte ${byte}) has been locked by another process for more than ${waitMs} ms; find that process with "lslocks", end or continue it, then try again.`,
        )
      before = now
      deadline = performance.now() + waitMs
    }
    // The random part spreads waiters that would otherwise poll in step for ever.
    await sleep(pauseMs * (0.5 + Math.random()))
  }
}
