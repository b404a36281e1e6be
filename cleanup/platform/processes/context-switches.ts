import { readProcText } from './proc-file.ts'

/** What /proc/<pid>/status shows of a process's use of the CPU (proc_pid_status(5)). */
export interface ContextSwitches {
  /** The name, with unprintable bytes escaped by the kernel. */
  name: string
  /** True in an interruptible wait: neither running, runnable nor stopped. */
  isAsleep: boolean
  /** Its context switches, which change with everything that the process does. */
  count: string
}

/**
 * Reads them; undefined when the process is gone or without /proc. A process that was asleep in two reads with the same count
 * did nothing in between. That holds on a loaded machine as well: a process that waits for a CPU is not asleep.
 */
export function contextSwitchesOf(pid: number): ContextSwitches | undefined {
  const lines = readProcText(`/proc/${pid}/status`, true)?.split('\n')
  if (!lines) return undefined
  const read = (field: string) => lines.find(line => line.startsWith(`${field}:\t`))?.slice(field.length + 2)
  return {
    name: read('Name') ?? '',
    isAsleep: read('State')?.startsWith('S') === true,
    count: `${read('voluntary_ctxt_switches')} ${read('nonvoluntary_ctxt_switches')}`,
  }
}
