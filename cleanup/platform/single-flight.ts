import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/**
 * Lets concurrent callers share an expensive read. Callers in the same turn of the event loop, or during a read, share the
 * next one: ten cleanups at once read hardly more often than one, and no caller gets a result that was read before its
 * call. After a shared read, the next one waits for `pauseMs`, so that more callers join it.
 */
export function singleFlight<T>(read: () => T | Promise<T>, pauseMs = 0): () => Promise<T> {
  let running: Promise<unknown> | undefined
  let endedAt = Number.NEGATIVE_INFINITY
  let next: Promise<T> | undefined
  let callers = 0
  let wasShared = false

  async function begin(): Promise<T> {
    await running?.catch(() => {})
    const waitMs = wasShared ? endedAt + pauseMs - performance.now() : 0
    await (waitMs > 0 ? sleep(waitMs) : nextTurn())
    next = undefined
    wasShared = callers > 1
    callers = 0
    const reading = (async () => read())().finally(() => {
      endedAt = performance.now()
    })
    running = reading
    return reading
  }

  return () => {
    callers++
    next ??= begin()
    return next
  }
}
