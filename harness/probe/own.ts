import { readProcesses } from './processes.ts'
import { toolPids } from './tools.ts'

interface Related {
  pid: number
  ppid: number
}

/** What was there before the probe did anything: the reaper at the top, and whatever carries the sandbox. */
const carriers = new Set(readProcesses().map(({ pid }) => pid))

/**
 * Tells the rig's own processes from all others: the carriers and what they start themselves, the probe and
 * its tools. An orphan is a child of process 1 and of nobody's own.
 */
export function isForeign(all: Related[]): (one: Related) => boolean {
  const parents = new Map(all.map(({ pid, ppid }) => [pid, ppid]))
  const isOwn = (pid: number): boolean => {
    if (carriers.has(pid) || toolPids.has(pid)) return true
    const parent = parents.get(pid)
    return parent !== undefined && parent > 1 && parent !== process.pid && carriers.has(parent)
  }
  return ({ pid }) => !isOwn(pid)
}
