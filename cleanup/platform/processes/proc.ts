import fs from 'node:fs'
import { processesHidden } from './backend.ts'
import { readProc } from './proc-file.ts'
import { type Process, parseStat } from './stat.ts'

/** The numbers of all processes in /proc. Throws (`processes-hidden`) where it is not ours or shows not all. */
export function listProc(): number[] {
  const pids = readPids()
  if (!pids.includes(1) || !pids.includes(process.pid))
    throw processesHidden('/proc does not show process 1 and this one')
  if (fs.readlinkSync('/proc/self') !== String(process.pid))
    throw processesHidden('/proc counts processes as another namespace does')
  return pids
}

/** One process as it is now; undefined when it is gone, or when /proc does not show it. */
export function readProcStat(pid: number): Process | undefined {
  const bytes = readProc(`/proc/${pid}/stat`, true)
  // latin1 keeps every byte of a name, whatever it is.
  return typeof bytes === 'string' ? undefined : parseStat(bytes.toString('latin1'))
}

function readPids(): number[] {
  try {
    return fs.readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch (error) {
    throw processesHidden('/proc cannot be listed', error)
  }
}
