import type { Readable, Writable } from 'node:stream'
import { createBirpc } from 'birpc'
import { CannotMeasureError, printable } from '../errors.ts'
import { Limit } from '../limit.ts'
import type { ProbeApi } from '../probe/api.ts'
import { ndjson } from '../probe/channel.ts'

const callTimeoutMs = 60_000

/** The two ends of a probe that runs in a sandbox. */
export interface ProbeStreams {
  input: Writable
  output: Readable
  /** Resolves when the sandbox ended, with what is known of the reason. */
  ended: Promise<string>
}

/**
 * Connects to a probe. A call whose sandbox ends before the answer came fails with the reason, and so does every later
 * one. A call that has no answer after a minute, or later on a busy machine, fails too.
 */
export function connectProbe({ input, output, ended }: ProbeStreams): ProbeApi {
  const noise: string[] = []
  const channel = ndjson(output, input, line => noise.push(line))
  let end: CannotMeasureError | undefined
  const rpc = createBirpc<ProbeApi>(
    {},
    {
      ...channel,
      timeout: -1,
      async onRequest(_, send) {
        if (end) throw end
        await send()
      },
    },
  )
  input.on('error', () => {}) // A write to a sandbox that just ended: `ended` tells more than EPIPE does.
  void ended.then(reason => {
    const words = printable([reason, ...noise.slice(-3)].join(': '))
    end = new CannotMeasureError(`The sandbox ended: ${words}.`)
    rpc.$rejectPendingCalls(({ reject }) => reject(end))
  })
  return new Proxy(rpc as unknown as ProbeApi, { get: (probe, name) => answeredInTime(probe, name) })
}

type Call = (...args: unknown[]) => Promise<unknown>

function answeredInTime(probe: ProbeApi, name: string | symbol): Call | undefined {
  const call = Reflect.get(probe, name) as Call | undefined
  // What is awaited is asked for `then`.
  if (!call) return undefined
  return (...args) => {
    const limit = new Limit(callTimeoutMs)
    return limit.during(tooLate => {
      const { promise, reject } = Promise.withResolvers<never>()
      tooLate.onabort = () => reject(new CannotMeasureError(noAnswer(String(name), limit.elapsed)))
      return Promise.race([call(...args), promise])
    })
  }
}

const noAnswer = (call: string, within: string) =>
  `The sandbox gave no answer to "${call}" within ${within}: was it or its engine stopped, or is the machine overloaded?`
