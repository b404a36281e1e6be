import { contextSwitchesOf } from '../platform/processes/context-switches.ts'

/**
 * How long a server may be idle while we wait for its answer, in ms. A healthy one answers in 3 ms, a stopped one never. One
 * that closed a hundred panes during a hundred queries took 6,800 ms on two cores.
 */
const QUIET_MS = 5_000
/** How long we wait at most for a busy server, in ms. */
const BUSY_MS = 60_000

export interface ServerTimeouts {
  quietMs: number
  busyMs: number
}

/**
 * Calls `giveUp` with the time waited (ms) once the server got no CPU for a whole `quietMs`, or after `busyMs`. Without a pid
 * or without /proc, every server counts as idle. The caller disposes of the result when the answer arrives.
 */
export function onServerTimeout(
  serverPid: number | undefined,
  giveUp: (afterMs: number) => void,
  { quietMs, busyMs }: ServerTimeouts = { quietMs: QUIET_MS, busyMs: BUSY_MS },
): Disposable {
  let waitedMs = 0
  let seen = countOf(serverPid)
  const timer = setInterval(() => {
    // setImmediate: an answer that arrived while this process was busy is read first.
    setImmediate(() => {
      const now = countOf(serverPid)
      waitedMs += quietMs
      if (now === undefined || now === seen || waitedMs >= busyMs) {
        clearInterval(timer)
        giveUp(waitedMs)
      }
      seen = now
    })
  }, quietMs)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

const countOf = (pid: number | undefined) => (pid === undefined ? undefined : contextSwitchesOf(pid)?.count)
