import fs from 'node:fs'
import { CleanupError, messageOf, systemCode } from '../errors.ts'
import { readSmallJson } from '../platform/files/json.ts'
import { removeWithin } from '../platform/files/within.ts'
import { startOf } from '../platform/processes/table.ts'
import { daemonLock } from '../registry/layout.ts'
import { DAEMON_BYTE, type Lock, lockNow } from '../registry/locks.ts'

/**
 * Makes this process the one daemon of a workspace until it is disposed of or dies. The lock is the kernel's, the
 * file's text only tells people who has it.
 */
export class DaemonLock implements Disposable {
  readonly workspace: string
  readonly #held: Lock
  #isDisposed = false

  /** Throws `daemon-running` when another one has the workspace, naming it; `no-workspace` when it cannot be had. */
  constructor(workspace: string) {
    this.workspace = workspace
    this.#held = become(workspace)
  }

  /**
   * False when the workspace was removed, or another one is in its place: the lock is then on a file that is gone, and
   * excludes nobody.
   */
  get isValid(): boolean {
    return isSameFile(daemonLock(this.workspace), this.#held.fd)
  }

  /** Can be done twice. */
  [Symbol.dispose](): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    try {
      if (this.isValid) removeWithin(this.workspace, daemonLock(this.workspace))
    } catch {
      // The file system may be read-only by now. A file that stays excludes nobody.
    }
    this.#held[Symbol.dispose]()
  }
}

function become(workspace: string): Lock {
  const file = daemonLock(workspace)
  for (;;) {
    const held = takeLock(file, workspace)
    // The daemon before us removes the file as the last thing it does: a lock on a removed file would exclude nobody.
    if (isSameFile(file, held.fd)) {
      sign(held.fd)
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
    throw new CleanupError(
      'cannot-lock',
      `The workspace ${workspace} cannot be watched, because ${file} could not be locked: ${messageOf(error)}. Nothing was touched; make the folder writable, then start the daemon again.`,
      { cause: error },
    )
  }
}

/** On a disk that is full nothing can be written, and the lock is as good. */
function sign(fd: number): void {
  try {
    fs.ftruncateSync(fd)
    fs.writeSync(fd, `${JSON.stringify({ pid: process.pid, start: startOf(process.pid) })}\n`, 0)
  } catch (error) {
    if (systemCode(error) === undefined) throw error
  }
}

function holder(workspace: string): string {
  const pid = readPid(workspace)
  return pid === undefined ? 'a process that has not written its number' : `process ${pid}`
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
