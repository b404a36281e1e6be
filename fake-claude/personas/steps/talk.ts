import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Claude } from '../../process/claude.ts'

const atOnce = 64

/** Events with a number each, as fast as they are read. */
export async function talk({ settings, events, output }: Claude): Promise<void> {
  const count = settings.events
  for (let done = 0; done < count; done += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, count - done) }, (_, at) => done + at + 1)
    await output.emitAll(numbers.map(number => events.text(`Event ${number} of ${count}.`)))
    // A reader that keeps up lets a write return at once: without this no signal would ever be noticed.
    await nextTurn()
  }
}
