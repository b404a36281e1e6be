import type { Claim, Claims } from '../claims/evidence.ts'
import { isJson } from '../platform/files/json.ts'
import { selfAndAncestors } from '../platform/processes/ancestry.ts'
import { beganMs } from '../platform/processes/details.ts'
import { type ProcessTable, readAlive, type SeenProcess } from '../platform/processes/table.ts'
import type { AgentEntry, RecordedSupervisor } from '../registry/entries.ts'
import { isTerminal } from '../registry/lifecycle.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import type { SupervisorsOf } from './supervisors.ts'

/** Who starts an agent's processes again, as cleanups record it for those after them. */
export interface RecordedRestarts {
  supervisors: RecordedSupervisor[]
  /** Since when somebody who is not seen does so. */
  since?: string
}

/** How many supervisors are recorded and read. */
const MOST = 20
/** By how much, in ms, a time from the age of a process may be off. */
const AGE_IS_OFF_BY_MS = 20

/**
 * The processes of an agent that somebody outside has started since an earlier cleanup: each cleanup would only have them
 * started once more. Whoever writes the registry writes these records, so they only spare processes, and only such as a
 * living process outside of the agent has started, or as no cleanup was asked to end (`isRetry`).
 */
export class EarlierRestarts {
  readonly #recorded: readonly RecordedSupervisor[]
  readonly #since: number
  readonly #supervisorsOf: SupervisorsOf
  readonly #isAgents: (process: SeenProcess) => boolean
  readonly #found = new Map<string, SeenProcess | 'unknown'>()

  constructor(entry: AgentEntry, supervisorsOf: SupervisorsOf, { claimed }: Claims, isRetry: boolean) {
    const cleanup = recordOf(entry)
    this.#recorded = recordedSupervisors(cleanup?.supervisors)
    const since = isRetry ? parseTimestamp(cleanup?.restarted_since).latest : Number.NaN
    this.#since = Number.isNaN(since) ? Number.POSITIVE_INFINITY : since
    this.#supervisorsOf = supervisorsOf
    this.#isAgents = ({ pid, start }) => claimed.get(pid)?.process.start === start
  }

  /** Who has started a process since then; undefined for any other. To be asked of parents before their children. */
  startedBy({ process }: Claim, table: ProcessTable): SeenProcess | 'unknown' | undefined {
    if (this.#recorded.length === 0 && this.#since === Number.POSITIVE_INFINITY) return undefined
    const known = this.#found.get(keyOf(process)) ?? this.#find(process, table)
    if (known) this.#found.set(keyOf(process), known)
    return known
  }

  #find(process: SeenProcess, table: ProcessTable): SeenProcess | 'unknown' | undefined {
    const above = selfAndAncestors(table, process.ppid)
    const nearest = above.find(one => this.#found.has(keyOf(one)) || this.#isAgents(one))
    if (nearest) return this.#found.get(keyOf(nearest))
    const isRecorded = ({ pid, start }: SeenProcess) =>
      this.#recorded.some(one => one.pid === pid && one.start === start)
    const supervisor = this.#supervisorsOf(process, table).find(isRecorded)
    if (supervisor && readAlive(supervisor)) return supervisor
    return beganMs(process) > this.#since ? 'unknown' : undefined
  }
}

const keyOf = ({ pid, start }: SeenProcess): string => `${pid} ${start}`

/** Of an agent whose entry is live a record would be of an earlier run. */
const recordOf = ({ status, cleanup }: AgentEntry) => (isTerminal(status) ? cleanup : undefined)

function recordedSupervisors(recorded: unknown): RecordedSupervisor[] {
  if (!Array.isArray(recorded)) return []
  return recorded
    .slice(0, MOST)
    .filter(isJson)
    .map(({ pid, start, comm }) => ({ pid: Number(pid), start: Number(start), comm: String(comm) }))
}

/** What the next cleanup has to know: those that have started some of the agent and live, and since when the unseen do. */
export function restartsToRecord(
  entry: AgentEntry,
  restarted: readonly { claim: Claim; restartedBy?: SeenProcess | 'unknown' }[],
  others: readonly SeenProcess[],
): RecordedRestarts {
  const cleanup = recordOf(entry)
  const seen = restarted.flatMap(({ restartedBy }) =>
    restartedBy && restartedBy !== 'unknown' ? [restartedBy] : [],
  )
  const all = [...recordedSupervisors(cleanup?.supervisors), ...seen, ...others].filter(readAlive)
  const unique = new Map(all.map(({ pid, start, comm }) => [pid, { pid, start, comm }]))
  const unseen = restarted.filter(({ restartedBy }) => restartedBy === 'unknown')
  if (unseen.length === 0) return { supervisors: [...unique.values()].slice(0, MOST) }
  const began = Math.min(
    ...unseen.map(({ claim }) => beganMs(claim.process) - AGE_IS_OFF_BY_MS),
    ...[parseTimestamp(cleanup?.restarted_since).latest].filter(at => !Number.isNaN(at)),
  )
  return { supervisors: [...unique.values()].slice(0, MOST), since: new Date(began).toISOString() }
}
