import { birthOf } from '../../claims/age.ts'
import type { Claims, Evidence } from '../../claims/evidence.ts'
import type { Observation } from '../../claims/observation.ts'
import { beganMs } from '../../platform/processes/details.ts'
import { hasEnded } from '../../platform/processes/stat.ts'

/** The tolerance, in ms, for comparing the kernel's ticks, a file system's times, and the starts of a pipeline's processes. */
export const CLOCKS_MS = 1_000

/** The resolution of a process's start time, in ms; tmux starts the first process of a session within it too. */
export const TICKS_MS = 100

/**
 * When the agent began, in ms since 1970, by facts that the agent cannot backdate: the birth of its log's inode, and the start
 * of the process that tmux started with the agent's session, while that lives. The later of the two counts, because each
 * alone can be older: the log of an earlier run, a shell that was there before. Two other sources are unfit. The oldest
 * claimed process may be, after a crash, a command that claude ran late, or another pane. The registry's writer could make
 * every file of the user's count as made in the agent's life. Undefined when neither fact is there.
 */
export function beginningOf(observation: Observation, claims: Claims): number | undefined {
  const times = [birthOf(observation.log), startOfSession(observation, claims)].filter(
    time => time !== undefined,
  )
  return times.length > 0 ? Math.max(...times) : undefined
}

/** When the session's first process was started; undefined when it has ended, or is not the agent's. */
function startOfSession({ location }: Observation, { claimed }: Claims): number | undefined {
  const created = (location.session?.created ?? Number.NaN) * 1_000
  // tmux gives whole seconds, and starts the process right after. The process of a pane that was opened later is younger.
  const isFirst = (ms: number) => ms > created - TICKS_MS && ms < created + 1_000 + TICKS_MS
  return [...claimed.values()]
    .filter(({ process, evidence }) => process.ppid === location.server?.pid && evidence.some(isOfPane))
    .filter(({ process }) => !hasEnded(process))
    .map(({ process }) => beganMs(process))
    .filter(isFirst)
    .sort((one, other) => one - other)[0]
}

const isOfPane = ({ kind }: Evidence): boolean => kind === 'pane'
