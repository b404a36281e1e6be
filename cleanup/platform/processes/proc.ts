import fs from 'node:fs'
import { requireResources } from '../limits.ts'
import { backend, processesHidden } from './backend.ts'
import { readProcLink, readProcText } from './proc-file.ts'
import { type Process, parseStat } from './stat.ts'

/** The pids of all processes in /proc. Throws a CleanupError (`processes-hidden`) when /proc hides some or is not ours. */
export function listProc(): number[] {
  requireVisibleProcesses()
  return readPids()
}

/** Throws a CleanupError (`processes-hidden`) when /proc hides processes or is not ours: what it does not show may run. */
export function requireVisibleProcesses(): void {
  if (backend !== 'proc') return
  if (!fs.existsSync('/proc/1') || !fs.existsSync(`/proc/${process.pid}`))
    throw processesHidden('/proc does not show process 1 and this one')
  if (readProcLink('/proc/self') !== String(process.pid))
    throw processesHidden('/proc belongs to another pid namespace')
}

/** A process's current state; undefined when it is gone or hidden. */
export function readProcStat(pid: number): Process | undefined {
  const text = readProcText(`/proc/${pid}/stat`, true)
  return text === undefined ? undefined : parseStat(text)
}

function readPids(): number[] {
  try {
    return fs.readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch (error) {
    requireResources(error, '/proc')
    throw processesHidden('/proc cannot be listed', error)
  }
}
