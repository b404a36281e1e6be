import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Claude } from '../../process/claude.ts'

const atOnce = 64

/** Prints numbered events as fast as they are read. */
export async function talk({ settings, events, output }: Claude): Promise<void> {
  const count = settings.events
  for (let done = 0; done < count; done += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, count - done) }, (_, at) => done + at + 1)
    await output.emitAll(numbers.map(number => events.text(`Event ${number} of ${count}.`)))
    // With a fast reader every write returns at once, and without this turn no signal would be delivered.
    await nextTurn()
  }
}
