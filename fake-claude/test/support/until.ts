import { setTimeout as sleep } from 'node:timers/promises'

/** Polls until the check returns something; the error names what did not happen. */
export async function until<T>(what: string, ask: () => T | undefined | false, limit = 30_000): Promise<T> {
  const deadline = performance.now() + limit
  for (;;) {
    const answer = ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > deadline) throw new Error(`waited ${limit} ms in vain until ${what}`)
    await sleep(20)
  }
}
