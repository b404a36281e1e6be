import os from 'node:os'

/** Ctrl-C below npm arrives twice: from the terminal and from npm. Later than that, ms, it is a person's second. */
const SAME_SIGNAL_MS = 1_000

/** Stops a work in order at the first Ctrl-C or TERM, with its name as the reason, and the process at once at the second. */
export function stopOnSignals(stop: AbortController): void {
  let firstAt: number | undefined
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => {
      firstAt ??= performance.now()
      if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(128 + os.constants.signals[name])
      stop.abort(name)
    })
}
