import { setTimeout as pause } from 'node:timers/promises'
import { CleanupError } from '../errors.ts'
import { isAlive } from '../platform/processes/table.ts'
import { DaemonLock } from './daemon-lock.ts'
import type { DaemonOptions } from './run-daemon.ts'

/** How often one that stands by looks whether the place is free, in ms: what ended meanwhile is cleaned up then. */
const STANDBY_MS = 250

/**
 * Makes this process the one daemon of a workspace. Where another one is that already, a daemon with an owner stands
 * by until it can take its place: the other one leaves with its own owner, and may be killed at any time. Returns
 * undefined when it is not needed any more. Without an owner it throws `daemon-running`.
 */
export async function acquireDaemonLock(
  workspace: string,
  { owner, log, signal }: DaemonOptions,
): Promise<DaemonLock | undefined> {
  for (let hasTold = false; ; hasTold = true) {
    try {
      return new DaemonLock(workspace)
    } catch (error) {
      if (!owner || !(error instanceof CleanupError) || error.code !== 'daemon-running') throw error
    }
    if (signal.aborted || !isAlive(owner)) return undefined
    if (!hasTold) log?.({ event: 'standby', workspace, pid: process.pid })
    await pause(STANDBY_MS, undefined, { signal }).catch(() => {})
  }
}
