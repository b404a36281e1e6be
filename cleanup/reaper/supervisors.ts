import { pid as ownPid } from 'node:process'
import type { Claim, Claims } from '../claims/evidence.ts'
import type { Observation } from '../claims/observation.ts'
import { isTmuxServer } from '../claims/others-live-in.ts'
import { isAdopter, selfAndAncestors } from '../platform/processes/ancestry.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'

/** The processes that are not the agent's and from which a process of the agent was started, the nearest first. */
export type SupervisorsOf = (process: SeenProcess, table: ProcessTable) => SeenProcess[]

/**
 * Finds who outside of an agent may start its processes again (a process manager, a loop in a user's shell): the
 * ancestors that the first scan saw and did not claim. Process 1 and the like adopt orphans, a tmux server opens panes, and
 * the cleaner runs below whoever called it; none of them counts.
 */
export function supervisors({ table: first }: Observation, { claimed }: Claims): SupervisorsOf {
  const callers = new Set(selfAndAncestors(first, ownPid).map(({ pid }) => pid))
  return ({ ppid }, table) => {
    const known = selfAndAncestors(table, ppid).filter(({ pid, start }) => first.get(pid)?.start === start)
    const end = known.findIndex(
      one => claimed.has(one.pid) || callers.has(one.pid) || isAdopter(one) || isTmuxServer(one),
    )
    return end < 0 ? known : known.slice(0, end)
  }
}

/** Names a process that came back. */
export const describeRestart = (
  { process: { pid, comm } }: Claim,
  supervisor: Pick<SeenProcess, 'pid' | 'comm'>,
): string =>
  `Process ${pid} (${comm}) runs: process ${supervisor.pid} (${supervisor.comm}), which is not the agent’s, started it again after it was ended. Stop it there, then clean up once more.`
