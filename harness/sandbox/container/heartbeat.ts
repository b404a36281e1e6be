import type { Writable } from 'node:stream'

/**
 * How long a container goes on without a heartbeat of its rig, in seconds. Whatever died, the container ends within a
 * minute, and a rig that stands still for half a minute loses nothing. While a machine is suspended, neither side's clock
 * runs.
 */
export const longestSilence = 45
const everyMs = 5_000

/** Sends heartbeats, empty lines, until the stream closes. The probe passes them on to hold.sh. */
export function sendHeartbeats(stream: Writable): void {
  const timer = setInterval(() => stream.write('\n'), everyMs).unref()
  stream.once('close', () => clearInterval(timer))
}
