import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/**
 * Makes a costly look shareable. Everybody who asks while one look is under way, or in the same turn of the event loop,
 * gets the one look that begins then: so ten cleanups at once look hardly more often than one, and none sees a state
 * older than its question. After a look that several wanted, more of them are waited for, for `restMs`.
 */
export function singleFlight<T>(look: () => T | Promise<T>, restMs = 0): () => Promise<T> {
  let running: Promise<unknown> | undefined
  let endedAt = Number.NEGATIVE_INFINITY
  let next: Promise<T> | undefined
  let wanted = 0
  let wasShared = false

  async function begin(): Promise<T> {
    await running?.catch(() => {})
    const waitMs = wasShared ? endedAt + restMs - performance.now() : 0
    await (waitMs > 0 ? sleep(waitMs) : nextTurn())
    next = undefined
    wasShared = wanted > 1
    wanted = 0
    const looking = (async () => look())().finally(() => {
      endedAt = performance.now()
    })
    running = looking
    return looking
  }

  return () => {
    wanted++
    next ??= begin()
    return next
  }
}
