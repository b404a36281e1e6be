import { readProcess, readProcesses } from './processes.ts'
import { userPids } from './terminals.ts'
import { toolPids } from './tools.ts'

interface Related {
  pid: number
  ppid: number
}

/** What was there before the probe did anything: process 1, and whatever else keeps the sandbox running. */
const sandboxProcesses = new Map(readProcesses().map(({ pid, start }) => [pid, start]))

/** By identity, because such a process may end and its pid be reused. */
function isSandboxProcess(pid: number): boolean {
  return sandboxProcesses.has(pid) && readProcess(pid)?.start === sandboxProcesses.get(pid)
}

/**
 * Tells the rig's own processes from all others. Its own are the sandbox's, what those start themselves, the probe, and
 * the probe's tools. Children of process 1 are not among them: those are orphans of anybody. What a person runs in the sandbox
 * counts as the rig's own, until it leaves the shell that it was started in.
 */
export function isNotOurs(all: Related[]): (process: Related) => boolean {
  const parents = new Map(all.map(({ pid, ppid }) => [pid, ppid]))
  const isOwn = (pid: number): boolean => {
    if (toolPids.has(pid) || isSandboxProcess(pid) || isUsers(pid, parents)) return true
    const parent = parents.get(pid)
    return parent !== undefined && parent > 1 && parent !== process.pid && isSandboxProcess(parent)
  }
  return ({ pid }) => !isOwn(pid)
}

/** Whether it is, or is below, a command that a person runs in the sandbox. */
function isUsers(pid: number, parents: ReadonlyMap<number, number>): boolean {
  if (userPids.size === 0) return false
  const visited = new Set<number>()
  for (let at: number | undefined = pid; at !== undefined && !visited.has(at); at = parents.get(at)) {
    if (userPids.has(at)) return true
    // A pid that was reused while the table was read could close a circle.
    visited.add(at)
  }
  return false
}
