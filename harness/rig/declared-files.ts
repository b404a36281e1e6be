import { CannotMeasureError } from '../errors.ts'
import { poll } from '../poll.ts'
import type { Agent } from './agent.ts'
import { logPaths } from './stream-log.ts'

/** How long a system may take to write what it declares, once its agent works, ms. */
const writtenWithinMs = 5_000

/**
 * Waits until the registries and the log that the system declares are there while its agent works.
 * @throws CannotMeasureError where one is not: a check of nothing would pass
 */
export async function requireDeclaredFiles(agent: Agent): Promise<void> {
  const { rig } = agent
  const { registries } = rig.definition.layout
  const live = logPaths(agent)?.live
  if (registries.length === 0 && live === undefined) return
  let missing: string[] = []
  await poll(writtenWithinMs, async () => {
    const { resources } = await rig.snapshot()
    const read = new Set(resources.flatMap(one => (one.kind === 'registry' ? one.name : [])))
    const hasLog = live === undefined || resources.some(one => one.kind === 'file' && one.path === live)
    missing = [
      ...registries
        .filter(({ name }) => !read.has(name))
        .map(({ name, path }) => `no file matches /${path.source}/ (the registry ${name})`),
      ...(hasLog ? [] : [`there is no ${live} (logs.live)`]),
    ]
    return missing.length === 0 || undefined
  })
  if (missing.length === 0) return
  throw new CannotMeasureError(
    `Agent ${agent.id} works, and ${missing.join(', and ')}: the system ${rig.definition.name} declares what it does not write.`,
  )
}
