import { uidOf } from '../platform/processes/owner.ts'
import { isAlive } from '../platform/processes/table.ts'
import { type Claims, isTied } from './evidence.ts'

/**
 * Says of each living process of another user that is a part of the agent (a `sudo` child) that it stays, in a sentence.
 * One that only says so itself, by a marker or a log, is not part of it. Takes every look of a cleaning that counts: a
 * process loses its ties when the agent's own processes end.
 */
export function describeOtherUsers(...looks: Claims[]): string[] {
  const tied = looks
    .flatMap(({ spared }) => spared)
    .filter(one => one.sparedFor === 'other-user' && isTied(one) && isAlive(one.process))
  return [...new Map(tied.map(({ process: { pid, comm } }) => [pid, comm]))].map(
    ([pid, comm]) =>
      `Process ${pid} (${comm}) of user ${uidOf(pid)} is still there: it belongs to another user, and only the processes of the workspace’s owner are ended.`,
  )
}
