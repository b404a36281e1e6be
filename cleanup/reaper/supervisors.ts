import { pid as ownPid } from 'node:process'
import type { Claim, Claims } from '../claims/evidence.ts'
import type { Observation } from '../claims/observation.ts'
import { isAdopter, isOrphan, selfAndAncestors } from '../platform/processes/ancestry.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { isTmuxServer } from '../tmux/is-server.ts'

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
      one => claimed.has(one.pid) || callers.has(one.pid) || isAdopter(one) || isTmuxServer(one, table),
    )
    return end < 0 ? known : known.slice(0, end)
  }
}

/** How a process was born that nothing ties to whoever started it; undefined for any other. */
export type StrayBirthOf = (process: SeenProcess, table: ProcessTable) => 'session' | 'orphan' | undefined

/**
 * Such a process was born in a tmux session that began after the first scan, or is an orphan. A pane that a hook starts again
 * in a session that was there is none of them: the hook ends with the session.
 */
export function strayBirths({ location: { server, listed } }: Observation): StrayBirthOf {
  const isNewSession = (tmux: string | undefined): boolean => {
    const [, pid, session] = /,(\d+),(\d+)$/.exec(tmux ?? '') ?? []
    return session !== undefined && (Number(pid) !== server?.pid || !listed.sessions.has(`$${session}`))
  }
  return (process, table) => {
    const parent = table.get(process.ppid)
    if (parent && isTmuxServer(parent, table))
      return isNewSession(process.environment.tmux) ? 'session' : undefined
    return isOrphan(process, table) ? 'orphan' : undefined
  }
}

/** Names a process that came back. */
export const describeRestart = (
  { process: { pid, comm } }: Claim,
  supervisor: Pick<SeenProcess, 'pid' | 'comm'> | 'unknown',
): string =>
  supervisor === 'unknown'
    ? `Process ${pid} (${comm}) runs: somebody outside of the agent started it again after everything of the agent had been ended, in a new tmux session or as nobody’s child, so nothing shows who. Stop that, then clean up once more.`
    : `Process ${pid} (${comm}) runs: process ${supervisor.pid} (${supervisor.comm}), which is not the agent’s, started it again after it was ended. Stop it there, then clean up once more.`

/** Names a session that was not there before the agent's processes were ended, and in which something runs. */
export const describeNewSession = ({ id, name }: { id: string; name: string }): string =>
  `Session ${name} (${id}) began while the agent was ended, and is left alone: somebody outside of the agent started it again. Stop that, then clean up once more.`

/** Names a living process from which one of the agent's was started. It may need longer to start it again than a cleanup waits. */
export const describeSupervisor = (
  { pid, comm }: Pick<SeenProcess, 'pid' | 'comm'>,
  started: Pick<SeenProcess, 'pid' | 'comm'>,
): string =>
  `Process ${started.pid} (${started.comm}) was started by process ${pid} (${comm}), which is not the agent’s and still runs, so it may start it again.`
