import { contextSwitchesOf } from '../platform/processes/context-switches.ts'

/**
 * How long a server may do nothing at all while we wait for its answer, in ms. A healthy one answers in 3, a stopped
 * one never does; one that closes a hundred panes while a hundred clients ask took 6,800 on two cores.
 */
const QUIET_MS = 5_000
/** How long we wait at most for one that is busy with something else, in ms. */
const BUSY_MS = 60_000

export interface ServerTimeouts {
  quietMs: number
  busyMs: number
}

/**
 * Calls `giveUp`, with the ms that it was waited for, when a server is not to be waited for any longer: once it was never
 * scheduled in a whole `quietMs`, or at the end of `busyMs`. Of a server whose pid is not known, or where there is no /proc,
 * nothing tells that it is busy. To be disposed of when the answer is there.
 */
export function onServerTimeout(
  serverPid: number | undefined,
  giveUp: (afterMs: number) => void,
  { quietMs, busyMs }: ServerTimeouts = { quietMs: QUIET_MS, busyMs: BUSY_MS },
): Disposable {
  let waitedMs = 0
  let seen = countOf(serverPid)
  const timer = setInterval(() => {
    // What came in while we ourselves were busy is read before anybody is judged by it.
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
