import fs from 'node:fs'
import { CleanupError, messageOf, systemCode } from '../errors.ts'
import { readSmallJson } from '../platform/files/json.ts'
import { removeWithin } from '../platform/files/within.ts'
import { startOf } from '../platform/processes/table.ts'
import { daemonLock } from '../registry/layout.ts'
import { DAEMON_BYTE, type Lock, lockNow } from '../registry/locks.ts'

/**
 * Makes this process the one daemon of a workspace until the lock is disposed of or the process dies. The lock is the
 * kernel's; the text in the file only shows people which process holds it.
 */
export class DaemonLock implements Disposable {
  readonly workspace: string
  readonly #held: Lock
  #isDisposed = false

  /** Throws `daemon-running`, with the pid, when another daemon holds the workspace; `cannot-lock` when the file cannot be locked. */
  constructor(workspace: string) {
    this.workspace = workspace
    this.#held = acquire(workspace)
  }

  /**
   * False when the workspace was removed, or another one took its place. The lock is then on a file without a name, and
   * excludes no other daemon.
   */
  get isValid(): boolean {
    return isSameFile(daemonLock(this.workspace), this.#held.fd)
  }

  /** May be called twice. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    try {
      if (this.isValid) removeWithin(this.workspace, daemonLock(this.workspace))
    } catch {
      // The file system may be read-only by now. A file without a lock on it excludes no other daemon.
    }
    this.#held[Symbol.dispose]()
  }
}

function acquire(workspace: string): Lock {
  const file = daemonLock(workspace)
  for (;;) {
    const held = takeLock(file, workspace)
    // The daemon before us removes the file as its last step, and a lock on a removed file would exclude no other daemon.
    if (isSameFile(file, held.fd)) {
      writePid(held.fd)
      return held
    }
    held[Symbol.dispose]()
  }
}

function takeLock(file: string, workspace: string): Lock {
  const held = tryLock(file, workspace)
  if (held) return held
  throw new CleanupError(
    'daemon-running',
    `A daemon already watches ${workspace}: ${holder(workspace)} holds ${file}. Stop that one first, or leave the work to it.`,
  )
}

function tryLock(file: string, workspace: string): Lock | undefined {
  try {
    return lockNow(file, DAEMON_BYTE)
  } catch (error) {
    if (error instanceof CleanupError) throw error
    throw new CleanupError(
      'cannot-lock',
      `The workspace ${workspace} cannot be watched, because ${file} could not be locked: ${messageOf(error)}. Nothing was touched; make the folder writable, then start the daemon again.`,
      { cause: error },
    )
  }
}

/** On a full disk nothing can be written; the lock holds all the same. */
function writePid(fd: number): void {
  try {
    fs.ftruncateSync(fd)
    fs.writeSync(fd, `${JSON.stringify({ pid: process.pid, start: startOf(process.pid) })}\n`, 0)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
  }
}

function holder(workspace: string): string {
  const pid = readPid(workspace)
  return pid === undefined ? 'a process that has not written its pid yet' : `process ${pid}`
}

function readPid(workspace: string): number | undefined {
  try {
    const pid = readSmallJson(workspace, daemonLock(workspace))?.pid
    return Number.isSafeInteger(pid) ? Number(pid) : undefined
  } catch {
    return undefined
  }
}

function isSameFile(file: string, fd: number): boolean {
  const [there, here] = [fs.lstatSync(file, { throwIfNoEntry: false }), fs.fstatSync(fd)]
  return there?.ino === here.ino && there.dev === here.dev
}
