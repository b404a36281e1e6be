import { readProc } from './proc-file.ts'

/** What the kernel tells of a process's turns on a CPU (proc_pid_status(5)). */
export interface ContextSwitches {
  /** The kernel's name for the process, with what cannot be shown escaped. */
  name: string
  /** True while it waits for something that a signal may interrupt: neither running, nor ready to, nor stopped. */
  isAsleep: boolean
  /** How often it was put on a CPU and taken off it: it moves with whatever the process does. */
  count: string
}

/**
 * Reads them; undefined when there is no such process, or no /proc. What was asleep at both of two reads, and whose
 * count is the same, did nothing at all in between. That holds on a loaded machine too: who cannot run is not asleep.
 */
export function contextSwitchesOf(pid: number): ContextSwitches | undefined {
  const bytes = readProc(`/proc/${pid}/status`, true)
  if (typeof bytes === 'string') return undefined
  const lines = bytes.toString('latin1').split('\n')
  const read = (field: string) => lines.find(line => line.startsWith(`${field}:\t`))?.slice(field.length + 2)
  return {
    name: read('Name') ?? '',
    isAsleep: read('State')?.startsWith('S') === true,
    count: `${read('voluntary_ctxt_switches')} ${read('nonvoluntary_ctxt_switches')}`,
  }
}
