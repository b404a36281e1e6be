import fs from 'node:fs'
import { CleanupError } from '../../errors.ts'

/**
 * Where processes are read from: `proc`, Linux's /proc, or `ps`, the program, where there is none (macOS, the BSDs).
 * LEAKRIG_PROCESS_TABLE=ps forces the second, which is how it is tested on Linux.
 */
export const backend: 'proc' | 'ps' = hasProc() && process.env.LEAKRIG_PROCESS_TABLE !== 'ps' ? 'proc' : 'ps'

/** Other systems have a /proc too, with other files in it or with none of what Linux shows. */
function hasProc(): boolean {
  return process.platform === 'linux' && fs.existsSync('/proc/self/stat')
}

/** An error that says that the process table cannot be relied on: what is not seen must not be taken for gone. */
export function processesHidden(why: string, cause?: unknown): CleanupError {
  return new CleanupError(
    'processes-hidden',
    `The process table cannot be relied on here: ${why}. Nothing was ended or deleted on the strength of it; mount /proc without hidepid, or run as a user who sees all processes.`,
    { cause },
  )
}
