import { readProcess, readProcesses } from './processes.ts'
import { toolPids } from './tools.ts'

interface Related {
  pid: number
  ppid: number
}

/** What was there before the probe did anything: process 1, and whatever else keeps the sandbox running. */
const carriers = new Map(readProcesses().map(({ pid, start }) => [pid, start]))

/** By identity, because a carrier may end and its pid be reused. */
function isCarrier(pid: number): boolean {
  return carriers.has(pid) && readProcess(pid)?.start === carriers.get(pid)
}

/**
 * Tells the rig's own processes from all others. Its own are the carriers and what they start themselves, the probe,
 * and the probe's tools. Children of process 1 are not among them: those are orphans of anybody.
 */
export function isForeign(all: Related[]): (process: Related) => boolean {
  const parents = new Map(all.map(({ pid, ppid }) => [pid, ppid]))
  const isOwn = (pid: number): boolean => {
    if (toolPids.has(pid) || isCarrier(pid)) return true
    const parent = parents.get(pid)
    return parent !== undefined && parent > 1 && parent !== process.pid && isCarrier(parent)
  }
  return ({ pid }) => !isOwn(pid)
}
