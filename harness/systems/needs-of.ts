import type { System } from '../definition/system.ts'
import type { SandboxNeeds } from '../sandbox/needs.ts'

/** What a system needs in its sandbox, beside what the options of a run name. */
export function needsOf(
  { project, mounts, covers, image, install }: System,
  options: SandboxNeeds = {},
): SandboxNeeds {
  const own = project === undefined ? [] : [project]
  return {
    mounts: [...new Set([...own, ...mounts, ...(options.mounts ?? [])])],
    covers: [...covers, ...(options.covers ?? [])],
    image: options.image ?? image,
    install: options.install ?? install,
    ...(options.engines && { engines: options.engines }),
  }
}
