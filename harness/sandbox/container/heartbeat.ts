import type { Writable } from 'node:stream'

/**
 * How long a container goes on without a sign of its rig, in seconds. Whatever died, it is over within a minute; a rig
 * or a machine that stands still for half a minute, between two of nine signs, loses nothing. While a machine is
 * suspended, the clocks of both sides stand still.
 */
export const longestSilence = 45
const everyMs = 5_000

/** Sends the rig's sign of life, an empty line, until the stream closes. The probe passes it on to hold.sh. */
export function sendSigns(stream: Writable): void {
  const timer = setInterval(() => stream.write('\n'), everyMs).unref()
  stream.once('close', () => clearInterval(timer))
}
