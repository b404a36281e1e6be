import { hostname } from 'node:os'
import { readProcess } from '../../probe/processes.ts'
import type { Engine } from './engine.ts'

const label = 'leakrig.rig'

/** The label of a container: its rig, which is this process, identified by pid and start time. */
export function rigLabel(): Record<string, string> {
  return { [label]: JSON.stringify({ host: hostname(), pid: process.pid, start: startOf(process.pid) }) }
}

/** How many containers of rigs run on an engine. */
export async function countContainers({ container }: Engine): Promise<number> {
  return (await container.dockerode.listContainers({ filters: { label: [label] } })).length
}

/** Removes the containers of rigs on this machine that are gone. Those of a running rig are left alone. */
export async function removeStaleContainers({ container }: Engine): Promise<void> {
  const all = await container.dockerode.listContainers({ all: true, filters: { label: [label] } })
  for (const { Id, Labels } of all) {
    const { host, pid, start } = JSON.parse(Labels[label] ?? '{}')
    if (host !== hostname() || startOf(pid) === start) continue
    // It may be ending by itself at this moment.
    await container.dockerode
      .getContainer(Id)
      .remove({ force: true })
      .catch(() => {})
  }
}

/** The start time in clock ticks since boot; on systems without /proc only whether the pid exists. */
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
