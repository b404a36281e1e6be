import type { Readable, Writable } from 'node:stream'
import { createBirpc } from 'birpc'
import { CannotMeasureError } from '../errors.ts'
import { Limit } from '../limit.ts'
import type { ProbeApi } from '../probe/api.ts'
import { ndjson } from '../probe/channel.ts'
import { printable } from '../terminal.ts'

const callTimeoutMs = 60_000

/** The two ends of a probe that runs in a sandbox. */
export interface ProbeStreams {
  input: Writable
  output: Readable
  /** Resolves with the reason, as far as it is known, when the sandbox has ended. */
  ended: Promise<string>
}

/**
 * Connects to a probe. When the sandbox ends, all open calls and all later ones fail with the reason. A call without an
 * answer after a minute, or later on a busy machine, fails too.
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
  input.on('error', () => {}) // After the sandbox has ended, `ended` gives a better reason than EPIPE.
  void ended.then(reason => {
    const why = printable([reason, ...noise.slice(-3)].join(': '))
    end = new CannotMeasureError(`The sandbox ended: ${why}.`)
    rpc.$rejectPendingCalls(({ reject }) => reject(end))
  })
  return new Proxy(rpc as unknown as ProbeApi, { get: (probe, name) => answeredInTime(probe, name) })
}

type Call = (...args: unknown[]) => Promise<unknown>

function answeredInTime(probe: ProbeApi, name: string | symbol): Call | undefined {
  const call = Reflect.get(probe, name) as Call | undefined
  // `await` reads the property `then`, which no call has.
  if (!call) return undefined
  return (...args) => {
    const { timeoutMs = 0 } = Object(args[0]) as { timeoutMs?: number }
    // A call of the system has a limit of its own (rig/system-under-test.ts), which gives a better reason.
    const limit = new Limit(callTimeoutMs + 2 * timeoutMs)
    return limit.during(tooLate => {
      const { promise, reject } = Promise.withResolvers<never>()
      tooLate.onabort = () => reject(new CannotMeasureError(noAnswer(String(name), limit.elapsed)))
      return Promise.race([call(...args), promise])
    })
  }
}

const noAnswer = (call: string, within: string) =>
  `The sandbox did not answer "${call}" within ${within}: was it or its engine stopped, or is the machine overloaded?`
