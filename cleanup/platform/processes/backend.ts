import fs from 'node:fs'
import { CleanupError } from '../../errors.ts'

/**
 * The source of the process table: Linux's /proc, or the program ps on systems without it (macOS, the BSDs).
 * LEAKRIG_PROCESS_TABLE=ps forces ps, for tests on Linux.
 */
export const backend: 'proc' | 'ps' = hasProc() && process.env.LEAKRIG_PROCESS_TABLE !== 'ps' ? 'proc' : 'ps'

/** Other systems may have a /proc with different files. */
function hasProc(): boolean {
  return process.platform === 'linux' && fs.existsSync('/proc/self/stat')
}

/** The error for an incomplete process table: a process that it does not show may still run. */
export function processesHidden(why: string, cause?: unknown): CleanupError {
  return new CleanupError(
    'processes-hidden',
    `The process table is not reliable here: ${why}. Nothing was ended or deleted; mount /proc without hidepid, or run as a user who sees all processes.`,
    { cause },
  )
}
