import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import type { ContainerRuntimeClient } from 'testcontainers'

const label = 'leakrig.rig'

/** Names the rig that a container belongs to: this process, by an identity that no later process has. */
export function rigLabel(): Record<string, string> {
  return { [label]: JSON.stringify({ host: hostname(), pid: process.pid, start: startOf(process.pid) }) }
}

/** Removes the containers of rigs that are gone from this machine. Those of a rig that runs are left alone. */
export async function removeLeftOver({ container }: ContainerRuntimeClient): Promise<void> {
  const all = await container.dockerode.listContainers({ all: true, filters: { label: [label] } })
  for (const { Id, Labels } of all) {
    const { host, pid, start } = JSON.parse(Labels[label] ?? '{}')
    if (host !== hostname() || startOf(pid) === start) continue
    // It may be ending by itself at this very moment.
    await container
      .getById(Id)
      .remove({ force: true })
      .catch(() => {})
  }
}

/** Clock ticks since boot (proc_pid_stat(5), field 22); on systems without /proc the pid alone has to do. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return isThere(pid) ? 'unknown' : 'gone'
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
