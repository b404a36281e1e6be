import { poll } from '../../poll.ts'
import { readProcesses } from '../../probe/processes.ts'
import type { ProcessResource } from '../../snapshot/snapshot.ts'

/** Everything below a process of the machine, whose table shows a sandbox's processes by other pids than inside. */
export function below(root: number, all = readProcesses()): ProcessResource[] {
  const children = all.filter(({ ppid }) => ppid === root)
  return children.flatMap(child => [child, ...below(child.pid, all)])
}

/** Those that are still there. Zombies do not count: the machine's init collects them in its own time. */
function stillThere(known: ProcessResource[]): ProcessResource[] {
  const now = readProcesses().filter(({ state }) => state !== 'Z')
  return known.filter(one => now.some(({ id }) => id === one.id))
}

/** Waits until they are gone. Those that stay. */
export async function gone(known: ProcessResource[]): Promise<ProcessResource[]> {
  await poll(60_000, async () => stillThere(known).length === 0 || undefined)
  return stillThere(known)
}
