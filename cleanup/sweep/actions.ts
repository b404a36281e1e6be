import type { Plan } from '../reaper/plan.ts'
import type { CleanUpReport } from '../reaper/report.ts'

/** One thing that a sweep does, or did. Those of a dry run and of the run after it are compared as they are. */
export type Action =
  | { do: 'end'; pid: number; start: number }
  | { do: 'close'; session: string }
  | { do: 'remove'; file: string }
  | { do: 'archive'; file: string }
  | { do: 'register'; agent: string; status: string }

/** What a cleanup will do, by its plan. */
export function plannedActions({ end, session, remove, claudeLeftovers, archive }: Plan): Action[] {
  return [
    ...end.map(({ pid, start }): Action => ({ do: 'end', pid, start })),
    ...(session ? [{ do: 'close', session: session.name } as const] : []),
    ...[...remove, ...claudeLeftovers].map(({ file }): Action => ({ do: 'remove', file })),
    ...archive.map(({ file }): Action => ({ do: 'archive', file })),
  ]
}

/** What a cleanup did, by its report; `session` is the name of the one that there was. */
export function doneActions({ ended, session, removed, archived }: CleanUpReport, name?: string): Action[] {
  const isClosed = session === 'killed' || session === 'ended-by-itself'
  return [
    ...ended.map(({ pid, start }): Action => ({ do: 'end', pid, start })),
    ...(isClosed && name !== undefined ? [{ do: 'close', session: name } as const] : []),
    ...removed.map((file): Action => ({ do: 'remove', file })),
    ...archived.map(({ from }): Action => ({ do: 'archive', file: from })),
  ]
}
