import fs from 'node:fs'
import type { Claims, Evidence } from '../../claims/evidence.ts'
import type { Observation } from '../../claims/observation.ts'
import { within } from '../../platform/files/within.ts'
import { ageMs } from '../../platform/processes/details.ts'
import { hasEnded, type Process } from '../../platform/processes/stat.ts'
import { workspaceOfLog } from '../../registry/layout.ts'

/** How exact the clocks are that are compared here, in ms: the kernel's ticks, a file system's times, the order in which a pipeline starts. */
export const CLOCKS_MS = 1_000

/** How exact the kernel tells when a process was started, in ms, and how soon tmux starts the first one of a session. */
export const TICKS_MS = 100

/** When a process was started, in ms since 1970, give or take a few hundredths of a second. */
export const startedMs = (process: Process): number => Date.now() - ageMs(process)

/**
 * When the agent began, in ms since 1970, by what it cannot set back: the birth of its log's inode, and the start of
 * the process that tmux started with the agent's session, as long as that lives. The later of the two, because each alone can be
 * older: the log of an earlier run, a shell that stood there before. The oldest claimed process would not do: after a crash it is a
 * command that claude ran late, or another pane. Nor would the registry: whoever writes it could make everything of
 * the user's count as made in the agent's life. Undefined when neither is there.
 */
export function beginningOf(observation: Observation, claims: Claims): number | undefined {
  const times = [birthOf(observation.log), startOfSession(observation, claims)].filter(
    time => time !== undefined,
  )
  return times.length > 0 ? Math.max(...times) : undefined
}

/** When the session's first process was started; undefined when that has ended, or is not the agent's. */
function startOfSession({ location }: Observation, { claimed }: Claims): number | undefined {
  const created = (location.session?.created ?? Number.NaN) * 1_000
  // tmux tells whole seconds, and the process comes right after. A pane that was opened later has started later.
  const isFirst = (ms: number) => ms > created - TICKS_MS && ms < created + 1_000 + TICKS_MS
  return [...claimed.values()]
    .filter(({ process, evidence }) => process.ppid === location.server?.pid && evidence.some(isOfPane))
    .filter(({ process }) => !hasEnded(process))
    .map(({ process }) => startedMs(process))
    .filter(isFirst)
    .sort((one, other) => one - other)[0]
}

const isOfPane = ({ kind }: Evidence): boolean => kind === 'pane'

function birthOf(log: string): number | undefined {
  try {
    const stat = within(workspaceOfLog(log), log, at => fs.lstatSync(at))
    return stat.isFile() ? stat.birthtimeMs || stat.ctimeMs : undefined
  } catch {
    return undefined
  }
}
