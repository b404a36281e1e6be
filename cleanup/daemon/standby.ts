import { setTimeout as pause } from 'node:timers/promises'
import { CleanupError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Identity } from '../platform/processes/identity.ts'
import { isAlive } from '../platform/processes/table.ts'
import { DaemonLock } from './daemon-lock.ts'

/** How often a daemon on standby tries to take the lock, in ms. What ended in the meantime is cleaned up then. */
const STANDBY_MS = 250

export interface StandbyOptions {
  owner?: Identity
  log?: Log
  signal: AbortSignal
}

/**
 * Makes this process the one daemon of a workspace. Where another daemon holds the workspace, a daemon with an owner
 * stands by until it can take over: the other one leaves with its own owner, and may be killed at any time. Returns
 * undefined when the daemon is not needed any more. Without an owner it throws `daemon-running`.
 */
export async function acquireDaemonLock(
  workspace: string,
  { owner, log, signal }: StandbyOptions,
): Promise<DaemonLock | undefined> {
  for (let isLogged = false; ; isLogged = true) {
    try {
      return new DaemonLock(workspace)
    } catch (error) {
      if (!owner || !(error instanceof CleanupError) || error.code !== 'daemon-running') throw error
    }
    if (signal.aborted || !isAlive(owner)) return undefined
    if (!isLogged) log?.({ event: 'standby', workspace, pid: process.pid })
    await pause(STANDBY_MS, undefined, { signal }).catch(() => {})
  }
}
