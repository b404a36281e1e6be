import os from 'node:os'
import { source } from '../../processes/source.ts'
import type { Process } from '../../processes/stat.ts'

/** The kernel's clock ticks in a second, as /proc shows them: USER_HZ, 100 on every architecture that Node runs on. */
const TICKS_PER_S = 100

/** When a process was started, in ms since 1970, give or take a few hundredths of a second. */
export function startedAtMs({ start }: Process): number {
  if (source !== 'proc') return start * 1_000
  return Date.now() - (os.uptime() - start / TICKS_PER_S) * 1_000
}
