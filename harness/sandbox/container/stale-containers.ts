import { hostname } from 'node:os'
import type { ContainerRuntimeClient } from 'testcontainers'
import { readProcess } from '../../probe/processes.ts'

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

/** Clock ticks since boot; on systems without /proc the pid alone has to do. */
function startOf(pid: number): string {
  const start = readProcess(pid)?.start
  return start === undefined ? (isThere(pid) ? 'unknown' : 'gone') : String(start)
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
