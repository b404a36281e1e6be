import { setTimeout as delay } from 'node:timers/promises'
import type { ProcessIdentity } from '../snapshot/snapshot.ts'
import { readProcess, readProcesses } from './processes.ts'

/** How often the process table is read while a process is waited for, ms. */
const lookMs = 3

/** When a process gets its signal that lives too briefly to be found from outside the sandbox. */
export interface AwaitedProcess {
  /** A regular expression for its command line, the arguments separated by single spaces. */
  command: string
  /** How long it is waited for, ms. */
  withinMs: number
  /** How long it is left alone once it is seen, ms. */
  afterMs: number
}

/** Waits for a process and signals it; undefined when none came, or it had ended before its time. */
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
    await delay(lookMs)
  }
}
