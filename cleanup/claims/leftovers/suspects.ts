import { isJson, textOf } from '../../platform/files/json.ts'
import { hasEnded } from '../../platform/processes/stat.ts'
import type { ProcessTable, SeenProcess } from '../../platform/processes/table.ts'
import type { AgentEntry, RecordedSuspect } from '../../registry/entries.ts'
import type { AgentRef } from '../../registry/layout.ts'
import { addRelatives, describeSuspect, type Suspect } from '../suspect.ts'

/** How many suspects an entry records: all agents that ended together may have the same, and each end writes the registry. */
const MOST = 20

/** A suspect, and the agents that it may belong to. */
export interface NamedSuspect extends Suspect {
  /** Each as `<task>/<agent>`. */
  agents: string[]
}

/** What an entry records of the suspects of its last cleanup: enough to find each again, and why it was named. */
export const recordSuspects = (suspects: readonly Suspect[]): RecordedSuspect[] =>
  suspects.slice(0, MOST).map(({ pid, start, comm, resemblances }) => ({ pid, start, comm, resemblances }))

/**
 * The suspects of an agent whose cleanup is done, as long as they live, and what runs below them. Only what that cleanup
 * recorded counts: since then, others have started processes too. The record only names processes, and ends none.
 */
export function livingSuspects({ cleanup }: AgentEntry, table: ProcessTable): Suspect[] {
  const recorded: unknown = cleanup?.suspects
  if (!Array.isArray(recorded) || recorded.length === 0) return []
  const found = new Map<SeenProcess, string[]>()
  for (const one of recorded.slice(0, MOST)) {
    if (!isJson(one)) continue
    const process = table.get(Number(one.pid))
    if (process && process.start === one.start && !hasEnded(process))
      found.set(process, textsOf(one.resemblances))
  }
  addRelatives(found, table, process => process.pid !== 1 && !process.kernel && !hasEnded(process))
  return [...found].map(([process, why]) => describeSuspect(process, why))
}

/** Another program may have written the record. */
const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(textOf) : [])

/** The suspects of several agents, each once, without the processes that are known by other means. */
export function mergeSuspects(
  all: readonly { ref: AgentRef; suspects: readonly Suspect[] }[],
  known: ReadonlySet<number>,
): NamedSuspect[] {
  const merged = new Map<number, NamedSuspect>()
  for (const { ref, suspects } of all)
    for (const suspect of suspects) {
      if (known.has(suspect.pid)) continue
      const before = merged.get(suspect.pid) ?? { ...suspect, agents: [] }
      before.agents.push(`${ref.taskId}/${ref.agentId}`)
      merged.set(suspect.pid, before)
    }
  return [...merged.values()]
}
