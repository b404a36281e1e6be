import fs from 'node:fs'
import { requireResources } from '../limits.ts'
import { processesHidden } from './backend.ts'
import { readProcText } from './proc-file.ts'
import { type Process, parseStat } from './stat.ts'

/** The pids of all processes in /proc. Throws a CleanupError (`processes-hidden`) when /proc hides some or is not ours. */
export function listProc(): number[] {
  const pids = readPids()
  if (!pids.includes(1) || !pids.includes(process.pid))
    throw processesHidden('/proc does not show process 1 and this one')
  if (fs.readlinkSync('/proc/self') !== String(process.pid))
    throw processesHidden('/proc belongs to another pid namespace')
  return pids
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
