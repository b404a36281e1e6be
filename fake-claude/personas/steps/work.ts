import type { Claude } from '../../process/claude.ts'

export async function work({ settings, events, output }: Claude): Promise<void> {
  for (let i = 1; i <= settings.events; i += 1)
    await output.emit(events.text(`Working: step ${i} of ${settings.events}.`))
}
