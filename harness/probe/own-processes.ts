import { readProcess, readProcesses } from './processes.ts'
import { toolPids } from './tools.ts'

interface Related {
  pid: number
  ppid: number
}

/** What was there before the probe did anything: the reaper at the top, and whatever carries the sandbox. */
const carriers = new Map(readProcesses().map(({ pid, start }) => [pid, start]))

/** By identity: a carrier may end, and its pid be given to somebody else. */
function isCarrier(pid: number): boolean {
  return carriers.has(pid) && readProcess(pid)?.start === carriers.get(pid)
}

/**
 * Tells the rig's own processes from all others: the carriers and what they start themselves, the probe and
 * its tools. An orphan is a child of process 1 and of nobody's own.
 */
export function isForeign(all: Related[]): (one: Related) => boolean {
  const parents = new Map(all.map(({ pid, ppid }) => [pid, ppid]))
  const isOwn = (pid: number): boolean => {
    if (toolPids.has(pid) || isCarrier(pid)) return true
    const parent = parents.get(pid)
    return parent !== undefined && parent > 1 && parent !== process.pid && isCarrier(parent)
  }
  return ({ pid }) => !isOwn(pid)
}
