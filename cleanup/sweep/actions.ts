import type { Suspect } from '../claims/suspect.ts'
import type { Plan } from '../reaper/plan.ts'
import type { CleanUpReport, Outcome } from '../reaper/report.ts'

/** One thing that a sweep does, or did. Those of a dry run and of the run after it are compared as they are. */
export type Action =
  | { do: 'end'; pid: number; start: number }
  | { do: 'close'; session: string }
  | { do: 'remove'; file: string }
  | { do: 'archive'; file: string }
  | { do: 'register'; agent: string; status: string }

/** What one cleanup of a sweep did. */
export interface CleanupResult {
  /** `failed`: something could not be read or asked. `interrupted`: begun, and not finished when the sweep was stopped. */
  outcome: Outcome | 'failed' | 'interrupted'
  actions: Action[]
  /** What is left and why, in sentences. */
  problems: string[]
  /** What the cleanup named and left alone: it may be the agent's, and nothing shows that. */
  suspects?: Suspect[]
}

export const registerAction = (
  { taskId, agentId }: { taskId: string; agentId: string },
  status: string,
): Action => ({ do: 'register', agent: `${taskId}/${agentId}`, status })

/** What a cleanup will do, by its plan. */
export function plannedActions({ end, session, remove, claudeLeftovers, archive }: Plan): Action[] {
  return actions(
    end,
    session?.name,
    [...remove, ...claudeLeftovers].map(({ file }) => file),
    archive.map(({ file }) => file),
  )
}

/** What a cleanup did, by its report; `session` is the name of the session in its plan. */
export function doneActions({ ended, session, removed, archived }: CleanUpReport, name?: string): Action[] {
  const isClosed = session === 'killed' || session === 'ended-by-itself'
  return actions(
    ended,
    isClosed ? name : undefined,
    removed,
    archived.map(({ from }) => from),
  )
}

const actions = (
  end: readonly { pid: number; start: number }[],
  session: string | undefined,
  remove: readonly string[],
  archive: readonly string[],
): Action[] => [
  ...end.map(({ pid, start }): Action => ({ do: 'end', pid, start })),
  ...(session === undefined ? [] : [{ do: 'close', session } as const]),
  ...remove.map((file): Action => ({ do: 'remove', file })),
  ...archive.map((file): Action => ({ do: 'archive', file })),
]
