import { textOf } from '../../platform/files/json.ts'
import { isAdopter, selfAndAncestors } from '../../platform/processes/ancestry.ts'
import { beganMs } from '../../platform/processes/details.ts'
import type { ProcessTable, SeenProcess } from '../../platform/processes/table.ts'
import type { AgentEntry } from '../../registry/entries.ts'
import { isDone } from '../../registry/lifecycle.ts'
import { parseTimestamp } from '../../registry/timestamps.ts'
import { isTmuxServer } from '../../tmux/is-server.ts'
import type { Claims } from '../evidence.ts'
import type { Observation } from '../observation.ts'

/* What began after its agent's cleanup had ended: the same sentence in every view. */

/** When an agent's cleanup was done, in ms since 1970: infinite while it is not. */
export function finishedAtMs(agent: AgentEntry): number {
  const finished = isDone(agent) ? parseTimestamp(agent.cleanup?.finished_at).latest : Number.NaN
  return Number.isNaN(finished) ? Number.POSITIVE_INFINITY : finished
}

/** An agent by its names. */
type Named = Readonly<{ taskId: string; agentId: string }>

/**
 * Says of a process that bears a trace of an agent that somebody has started the agent again; undefined for one that is as old
 * as the agent's cleanup. `isInSession`: it is in a new tmux session, which a sweep ends only on request.
 */
export function processStartedAgain(
  agent: Named,
  entry: AgentEntry,
  process: SeenProcess,
  { table, isInSession }: { table: ProcessTable; isInSession: boolean },
): string | undefined {
  const finished = finishedAtMs(entry)
  const isNew = (one: SeenProcess) => beganMs(one) > finished
  if (!isNew(process)) return undefined
  const starter = selfAndAncestors(table, process.ppid).find(one => !isNew(one))
  const isKnown = starter && !isAdopter(starter) && !isTmuxServer(starter, table)
  return sentence(agent, entry, isInSession, isKnown ? starter : undefined)
}

/** Says the same of a session that has the name of an agent; undefined while the agent's cleanup is not done. */
export const sessionStartedAgain = (agent: Named, entry: AgentEntry): string | undefined =>
  Number.isFinite(finishedAtMs(entry)) ? sentence(agent, entry, true, undefined) : undefined

/** How many processes are described: those of one start say the same. */
const MOST_DESCRIBED = 3

/** Says it of the claimed processes of an agent whose cleanup is done: of those that others of them have not started. */
export function describeStartedAgain(
  { ref, entry, table }: Pick<Observation, 'ref' | 'entry' | 'table'>,
  { claimed }: Claims,
): string[] {
  return [...claimed.values()]
    .filter(({ process }) => !claimed.has(process.ppid))
    .flatMap(({ process }) => {
      const why = processStartedAgain(ref, entry, process, { table, isInSession: false })
      return why === undefined ? [] : [`process ${process.pid} (${process.comm}): ${why}`]
    })
    .slice(0, MOST_DESCRIBED)
}

function sentence(
  { taskId, agentId }: Named,
  { cleanup }: AgentEntry,
  isInSession: boolean,
  starter: SeenProcess | undefined,
): string {
  const who = starter
    ? `process ${starter.pid} (${starter.comm}) has started it`
    : 'somebody has started it, and nothing shows who'
  return `it began after the cleanup of agent ${taskId}/${agentId} had ended (${textOf(cleanup?.finished_at)}): ${who}. Stop that first, or it comes back; then "leakrig sweep --apply${isInSession ? ' --orphans' : ''}" ends it`
}
