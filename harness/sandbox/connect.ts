import type { Readable, Writable } from 'node:stream'
import { createBirpc } from 'birpc'
import type { ProbeApi } from '../probe/api.ts'
import { ndjson } from '../probe/channel.ts'
import { CannotMeasureError } from './sandbox.ts'

const callTimeoutMs = 60_000

/** The two ends of a probe that runs in a sandbox. */
export interface ProbeStreams {
  input: Writable
  output: Readable
  /** Resolves when the sandbox ended, with what is known of the reason. */
  ended: Promise<string>
}

/**
 * Connects to a probe. A call whose sandbox ends before the answer came fails with the reason, and so
 * does one that has no answer after a minute.
 */
export function connectProbe({ input, output, ended }: ProbeStreams): ProbeApi {
  const noise: string[] = []
  const channel = ndjson(output, input, line => noise.push(line))
  const rpc = createBirpc<ProbeApi>({}, { ...channel, timeout: callTimeoutMs })
  input.on('error', () => {}) // A write to a sandbox that just ended: `ended` tells more than EPIPE does.
  void ended.then(reason => {
    rpc.$close(new CannotMeasureError(`The sandbox ended: ${[reason, ...noise.slice(-3)].join(': ')}.`))
  })
  return rpc as unknown as ProbeApi
}
