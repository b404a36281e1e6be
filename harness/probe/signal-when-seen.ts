import { setTimeout as delay } from 'node:timers/promises'
import type { ProcessIdentity } from '../snapshot/snapshot.ts'
import { readProcess, readProcesses } from './processes.ts'

/** The pause between two readings of the process table, ms. */
const pauseMs = 3

/** A process that lives too briefly to be found from outside the sandbox, and when it gets its signal. */
export interface AwaitedProcess {
  /** A regular expression for its command line, with single spaces between the arguments. */
  command: string
  /** How long to wait until it appears, ms. */
  withinMs: number
  /** How long after it was seen the signal is due, ms. */
  afterMs: number
}

/** Waits for a process and sends it a signal; undefined when none appeared, or it ended before the signal was due. */
export async function signalWhenSeen(
  { command, withinMs, afterMs }: AwaitedProcess,
  signal: string,
): Promise<ProcessIdentity | undefined> {
  const pattern = new RegExp(command)
  const deadline = performance.now() + withinMs
  for (;;) {
    const found = readProcesses().find(one => one.state !== 'Z' && pattern.test(one.command))
    if (found) {
      await delay(afterMs)
      const { pid, start } = found
      if (readProcess(pid)?.start !== start) return undefined
      process.kill(pid, signal)
      return { pid, start }
    }
    if (performance.now() >= deadline) return undefined
    await delay(pauseMs)
  }
}
