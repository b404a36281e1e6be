import { setTimeout as delay } from 'node:timers/promises'
import { engineStopped } from './ending.ts'
import { unanswered } from './ping.ts'

/** How often an engine is asked, and how many times in a row it has to be silent. */
const usual = { everyMs: 10_000, times: 3 }

/**
 * Resolves with the reason when an engine hangs, which closes no stream: its sandboxes would only seem to be slow. Until `over` it
 * waits otherwise.
 */
export async function hangOf(
  address: string,
  over: AbortSignal,
  { everyMs, times } = usual,
): Promise<string> {
  for (let silent = 0; silent < times && !over.aborted; ) {
    await delay(everyMs, undefined, { ref: false, signal: over }).catch(() => {})
    silent = (await unanswered(address, everyMs)) === undefined ? 0 : silent + 1
  }
  return over.aborted ? new Promise(() => {}) : engineStopped
}
