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

/** Ends everything below this process. How many processes that were, and what is left of them, in words. */
export async function endAllBelow(): Promise<{ seen: number; left: string[] }> {
  const processes = withAllBelow(process.pid).filter(({ pid }) => pid !== process.pid)
  for (const { pid } of processes) killIfThere(pid)
  return { seen: processes.length, left: await leftOf([{ processes }]) }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended with another one.
  }
}

/**
 * What is still there of sandboxes that have ended, in words; nothing when all of them are gone. A zombie is gone: only
 * its parent outside has not collected it.
 * @throws CannotMeasureError when the engine of a container cannot be asked
 */
export async function leftOf(sandboxes: readonly SandboxTraces[]): Promise<string[]> {
  const processes = sandboxes.flatMap(one => one.processes)
  let left: string[] = []
  await poll(removedWithinMs, async () => {
    const containers = await Promise.all(sandboxes.map(existing))
    left = [...remaining(processes), ...containers.flat()]
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

async function existing({ container: id, engine }: SandboxTraces): Promise<string[]> {
  if (id === undefined) return []
  const { container } = engine === undefined ? await found() : await named(engine)
  try {
    await container.dockerode.getContainer(id).inspect()
    return [`container ${id.slice(0, 12)}`]
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return []
    throw new CannotMeasureError(`The engine does not say whether container ${id} is gone: ask it.`)
  }
}

const found = async () => (await import('./container/engine.ts')).findEngine()

const named = async (address: string) => (await import('./container/engines.ts')).engineAt(address)
