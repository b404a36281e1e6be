import { resolve } from 'node:path'
import { resolveMounts } from '../sandbox/mounts.ts'
import { requireImageName, requireNoImage, type SandboxNeeds } from '../sandbox/needs.ts'
import type { SandboxChoice } from '../sandbox/sandbox.ts'

/** What the options say that the system needs in its sandbox. */
export interface NeedOptions {
  mount?: string[]
  image?: string
  sandbox: SandboxChoice
}

/**
 * The needs that the options name, checked before anything is started.
 * @throws WrongNeed for a path that cannot be mounted, and an image that cannot be used
 */
export function neededBy({ mount: mounts = [], image, sandbox }: NeedOptions): SandboxNeeds {
  resolveMounts(mounts)
  requireImageName(image)
  if (sandbox === 'namespace') requireNoImage({ image })
  return { mounts: mounts.map(path => resolve(path)), image }
}
