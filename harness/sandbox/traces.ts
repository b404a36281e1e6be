import { CannotMeasureError } from '../errors.ts'
import { poll } from '../poll.ts'
import { readProcesses } from '../probe/processes.ts'
import type { ProcessIdentity } from '../snapshot/snapshot.ts'
import type { SandboxTraces } from './sandbox.ts'

/** How long an engine may take to remove a container that has ended, ms. */
const removedWithinMs = 15_000

/** A process of this machine and everything below it. Process 1 of a pid namespace keeps its orphans below it. */
export function withAllBelow(root: number | undefined): ProcessIdentity[] {
  const all = readProcesses()
  const found = all.filter(({ pid }) => pid === root)
  for (const one of found) found.push(...all.filter(({ ppid }) => ppid === one.pid))
  return found.map(({ pid, start }) => ({ pid, start }))
}

/**
 * What is still there of sandboxes that have ended, in words; nothing when all of them are gone. A zombie is gone: only
 * its parent outside has not collected it.
 * @throws CannotMeasureError when the engine of a container cannot be asked
 */
export async function leftOf(sandboxes: readonly SandboxTraces[]): Promise<string[]> {
  const processes = sandboxes.flatMap(one => one.processes)
  const containers = sandboxes.flatMap(({ container }) => container ?? [])
  let left: string[] = []
  await poll(removedWithinMs, async () => {
    left = [...remaining(processes), ...(await existing(containers))]
    return left.length === 0 || undefined
  })
  return left
}

function remaining(processes: readonly ProcessIdentity[]): string[] {
  const now = new Map(readProcesses().map(one => [one.pid, one]))
  return processes.flatMap(({ pid, start }) => {
    const found = now.get(pid)
    return found?.start === start && found.state !== 'Z' ? `process ${pid} (${found.comm})` : []
  })
}

async function existing(ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const { findEngine } = await import('./container/engine.ts')
  const { container } = await findEngine()
  const found = await Promise.all(
    ids.map(id =>
      container.dockerode
        .getContainer(id)
        .inspect()
        .then(
          () => [`container ${id.slice(0, 12)}`],
          (error: { statusCode?: number }) => {
            if (error.statusCode === 404) return []
            throw new CannotMeasureError(`The engine does not say whether container ${id} is gone: ask it.`)
          },
        ),
    ),
  )
  return found.flat()
}
