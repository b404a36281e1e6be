import fs from 'node:fs'
import { CleanupError } from '../errors.ts'
import { startOf } from '../processes/table.ts'
import { daemonLock } from '../workspace/layout.ts'
import { lockNow } from '../workspace/locks.ts'

const BYTE = 0

/**
 * Makes this process the one daemon of a workspace until it is disposed of or dies. The lock is the kernel's, the
 * file's text only tells people who has it. Throws `daemon-running` when another one has it, naming it.
 */
export function becomeDaemon(workspace: string): Disposable {
  const file = daemonLock(workspace)
  for (;;) {
    const held = takeLock(file, workspace)
    // The daemon before us removes the file as the last thing it does: a lock on a removed file would exclude nobody.
    if (isSameFile(file, held.fd)) {
      fs.writeFileSync(file, `${JSON.stringify({ pid: process.pid, start: startOf(process.pid) })}\n`)
      return {
        [Symbol.dispose]() {
          if (isSameFile(file, held.fd)) fs.rmSync(file, { force: true })
          held[Symbol.dispose]()
        },
      }
    }
    held[Symbol.dispose]()
  }
}

function takeLock(file: string, workspace: string) {
  const held = lockNow(file, BYTE)
  if (held) return held
  throw new CleanupError(
    'daemon-running',
    `A daemon already watches ${workspace}: ${holder(file)} holds ${file}. Stop that one first, or leave the work to it.`,
  )
}

function holder(file: string): string {
  try {
    const { pid } = JSON.parse(fs.readFileSync(file, 'utf8'))
    return `process ${pid}`
  } catch {
    return 'a process that has not written its number yet'
  }
}

function isSameFile(file: string, fd: number): boolean {
  const [there, here] = [fs.statSync(file, { throwIfNoEntry: false }), fs.fstatSync(fd)]
  return there?.ino === here.ino && there.dev === here.dev
}
