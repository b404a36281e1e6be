import { systemCode } from '../../errors.ts'
import type { Identity } from './identity.ts'
import { isOurs } from './owner.ts'
import { isStopped } from './stat.ts'
import { readAlive } from './table.ts'

/** The result of a signal: it was sent, the process had ended, or it belongs to another user. */
export type Sent = 'sent' | 'ended' | 'refused'

/**
 * Sends signals to exactly this process. Its start time is compared before each, because the pid may have passed to another
 * process in the meantime. A process that runs as another user by now, root included, gets none.
 */
export function signal(identity: Identity, ...signals: NodeJS.Signals[]): Sent {
  for (const name of signals) {
    const now = readAlive(identity)
    if (!now) return 'ended'
    if (!isOurs(identity.pid)) return 'refused'
    const sent = send(identity.pid, name)
    if (sent !== 'sent') return sent
    // In a stopped process every signal but KILL stays pending until it is continued.
    if (isStopped(now) && name !== 'SIGKILL' && name !== 'SIGSTOP') send(identity.pid, 'SIGCONT')
  }
  return 'sent'
}

function send(pid: number, name: NodeJS.Signals): Sent {
  // 0 and negative numbers would address process groups, and 1 init.
  if (!Number.isSafeInteger(pid) || pid <= 1) return 'refused'
  try {
    process.kill(pid, name)
    return 'sent'
  } catch (error) {
    return systemCode(error) === 'ESRCH' ? 'ended' : 'refused'
  }
}

/**
 * True when no process has this pid. Signal 0 costs a tenth of a read from /proc, so it can be sent for every agent several
 * times a second. It detects neither a zombie nor a reused pid: slower checks do.
 */
export function isGone(pid: number): boolean {
  // 0 and negative numbers would address process groups.
  if (pid <= 0) return true
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return systemCode(error) === 'ESRCH'
  }
}

/** Sends KILL to a process group. Has no effect on a group that is empty, all zombies, or another user's. */
export function killProcessGroup(group: number): void {
  // 0 would address our own group, and 1 every process.
  if (!Number.isSafeInteger(group) || group <= 1) return
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // ESRCH: the group is empty, as nearly all are. EPERM: its processes belong to another user.
  }
}
