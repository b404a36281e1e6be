import type { Log } from '../log.ts'
import type { TrackedProcess } from './process-set.ts'

/** Logs a signal of ours to a process of an agent. A stopped process that gets any but KILL is also continued (CONT). */
export function logSignal(
  log: Log,
  { claim: { process }, role }: Pick<TrackedProcess, 'claim' | 'role'>,
  signal: NodeJS.Signals,
  agent: string,
): void {
  const { pid, start, comm } = process
  log({ event: 'signal', agent, signal, pid, start, comm, role })
}
