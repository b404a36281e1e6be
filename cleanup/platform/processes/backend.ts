import fs from 'node:fs'

/**
 * Where processes are read from: `proc`, Linux's /proc, or `ps`, the program, where there is none (macOS, the BSDs).
 * LEAKRIG_PROCESS_TABLE=ps forces the second, which is how it is tested on Linux.
 */
export const backend: 'proc' | 'ps' = hasProc() && process.env.LEAKRIG_PROCESS_TABLE !== 'ps' ? 'proc' : 'ps'

/** Other systems have a /proc too, with other files in it or with none of what Linux shows. */
function hasProc(): boolean {
  return process.platform === 'linux' && fs.existsSync('/proc/self/stat')
}
