import { readdirSync, readFileSync } from 'node:fs'

/** The pid and its descendants. A process whose parent has ended (ppid 1) is not among them. */
export function tree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(tree)]
}

// The kernel lists the children of each thread. A scan of all of /proc would race with every fork on the machine.
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap(thread =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return []
  }
}

/** A zombie has ended; kill(pid, 0) would call it alive. */
export function isAlive(pid: number): boolean {
  return !'ZX'.includes(stateOf(pid) ?? 'X')
}

/** The kernel's letter for the state of a process (`T` stopped, `Z` zombie); undefined without such a process. */
export function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.charAt(stat.lastIndexOf(')') + 2)
  } catch {
    return undefined
  }
}

export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended by itself in the meantime.
  }
}
