import { pid as ownPid } from 'node:process'
import { killProcessGroup } from '../platform/processes/signals.ts'
import { isAlive, type ProcessTable } from '../platform/processes/table.ts'
import type { ProcessSet } from './process-set.ts'

/**
 * Kills what is left in the process groups of an agent's dead processes. A process that forks its successor and exits can
 * escape every scan, but not a signal to its group: the kernel lets no fork slip past that (copy_process in kernel/fork.c
 * starts again when a signal is pending). On a group of zombies the signal has no effect.
 *
 * A group in which the table shows a living process that is not the agent's is left alone (another user's cannot be
 * killed), and so is our own. A process that has ended since the scan protects no group: on a busy machine the scan lists
 * a link of such a chain that has ended before its environment could be read.
 */
export function killGroups(table: ProcessTable, tracked: ProcessSet): void {
  const claims = tracked.claims()
  const groups = new Set([...claims.values()].map(({ process }) => process.pgid))
  groups.delete(table.get(ownPid)?.pgid ?? 0)
  for (const { claim } of tracked.restarted()) groups.delete(claim.process.pgid)
  for (const one of table.values())
    if (groups.has(one.pgid) && claims.get(one.pid)?.process.start !== one.start && isAlive(one))
      groups.delete(one.pgid)
  for (const group of groups) killProcessGroup(group)
}
