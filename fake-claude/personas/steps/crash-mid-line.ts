import type { Claude } from '../../process/claude.ts'

/** Dies in the middle of a line: writes half an event without its newline, then sends itself the signal. */
export async function crashMidLine({ settings, events, output, note }: Claude): Promise<void> {
  const line = JSON.stringify(events.text('This line is never finished.'))
  const half = line.slice(0, Math.floor(line.length / 2))
  output.stopped = true
  await output.write(half)
  note('half line', { bytes: Buffer.byteLength(half) })
  note('ended', { signal: settings.signal })
  process.kill(process.pid, settings.signal)
  // A signal that claude handles ends it later.
  await new Promise(() => {})
}
