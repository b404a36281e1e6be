import fs from 'node:fs'
import type { Claims } from '../../claims/evidence.ts'
import type { Scene } from '../../claims/scene.ts'
import { within } from '../../files/within.ts'
import { ageMs } from '../../processes/details.ts'
import { hasEnded, type Process } from '../../processes/stat.ts'
import { workspaceOfLog } from '../../workspace/layout.ts'

/** How exact the clocks are that are compared here, in ms: the kernel's ticks, a file system's times, the order in which a pipeline starts. */
export const CLOCKS_MS = 1_000

/** When a process was started, in ms since 1970, give or take a few hundredths of a second. */
export const startedMs = (process: Process): number => Date.now() - ageMs(process)

/**
 * When the agent began, in ms since 1970, by what it cannot set back: the birth of its log's inode, and the start of
 * the process that tmux itself started in its pane, as long as that lives. The later of the two, because a shell may have stood in the pane before.
 * The oldest claimed process would not do: after a crash it is a command that claude ran late. Nor would the
 * registry: whoever writes it could make everything of the user's count as made in the agent's life. Undefined when neither is there.
 */
export function beginningOf(scene: Scene, { claimed }: Claims): number | undefined {
  const server = scene.where.server?.pid
  const panes = [...claimed.values()]
    .filter(
      ({ evidence, process }) => evidence.some(({ kind }) => kind === 'pane') && process.ppid === server,
    )
    .filter(({ process }) => !hasEnded(process))
    .map(({ process }) => startedMs(process))
  const log = birthOf(scene.log)
  const times = [...(panes.length > 0 ? [Math.min(...panes)] : []), ...(log === undefined ? [] : [log])]
  return times.length > 0 ? Math.max(...times) : undefined
}

function birthOf(log: string): number | undefined {
  try {
    const stat = within(workspaceOfLog(log), log, at => fs.lstatSync(at))
    return stat.isFile() ? stat.birthtimeMs || stat.ctimeMs : undefined
  } catch {
    return undefined
  }
}
