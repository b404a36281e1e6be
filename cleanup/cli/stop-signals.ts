import os from 'node:os'

/** Below npm, one Ctrl-C arrives twice: from the terminal and from npm. A signal later than this, in ms, is a second Ctrl-C. */
const SAME_SIGNAL_MS = 1_000

/** Aborts with the signal's name as the reason at the first SIGINT or SIGTERM, and ends the process at the second. */
export function stopOnSignals(stop: AbortController): void {
  let firstAt: number | undefined
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.on(name, () => {
      firstAt ??= performance.now()
      if (performance.now() - firstAt > SAME_SIGNAL_MS) process.exit(128 + os.constants.signals[name])
      stop.abort(name)
    })
}
