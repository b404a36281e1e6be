import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again and again until the answer is there; says what was waited for when it never is. */
export async function until<T>(what: string, ask: () => T | undefined | false, limit = 30_000): Promise<T> {
  const deadline = performance.now() + limit
  for (;;) {
    const answer = ask()
    if (answer !== undefined && answer !== false) return answer
    if (performance.now() > deadline) throw new Error(`waited ${limit} ms in vain until ${what}`)
    await sleep(20)
  }
}
