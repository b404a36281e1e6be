import { systemCode } from '../../errors.ts'
import type { Identity } from './identity.ts'
import { isOurs } from './owner.ts'
import { isStopped } from './stat.ts'
import { readAlive } from './table.ts'

/** What a signal came to: it was sent, the process had ended, or it is another user's. */
export type Sent = 'sent' | 'ended' | 'refused'

/**
 * Sends signals to this very process, or to none: the start time is compared right before each, because between
 * two looks the number may have passed to somebody else's process. What runs as another user by now gets none, root's
 * either.
 */
export function signal(identity: Identity, ...signals: NodeJS.Signals[]): Sent {
  for (const name of signals) {
    const now = readAlive(identity)
    if (!now) return 'ended'
    if (!isOurs(identity.pid)) return 'refused'
    const sent = send(identity.pid, name)
    if (sent !== 'sent') return sent
    // A stopped process keeps every signal but KILL waiting until it is continued.
    if (isStopped(now) && name !== 'SIGKILL' && name !== 'SIGSTOP') send(identity.pid, 'SIGCONT')
  }
  return 'sent'
}

function send(pid: number, name: NodeJS.Signals): Sent {
  // 0, 1 and negative numbers would mean our own group, init, or whole groups; none is ever one process of an agent.
  if (!Number.isSafeInteger(pid) || pid <= 1) return 'refused'
  try {
    process.kill(pid, name)
    return 'sent'
  } catch (error) {
    return systemCode(error) === 'ESRCH' ? 'ended' : 'refused'
  }
}

/**
 * True when nobody has this number any more. Signal 0 is the cheapest question there is, a tenth of reading /proc, so
 * it can be put for every agent several times a second. It cannot tell a zombie, nor a number that has changed hands:
 * for those there are slower looks.
 */
export function isGone(pid: number): boolean {
  // 0 and negative numbers would mean process groups.
  if (pid <= 0) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return systemCode(error) === 'ESRCH'
  }
}

/** Sends KILL to a process group. Nothing happens for a group that is empty, is all zombies, or belongs to another user. */
export function killProcessGroup(group: number): void {
  // 0 and 1 would mean our own group and everybody.
  if (!Number.isSafeInteger(group) || group <= 1) return
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // ESRCH: nobody is left in it, which is so for nearly all. EPERM: what is left is not ours to signal.
  }
}
