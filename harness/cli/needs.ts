import { resolve } from 'node:path'
import { resolveMounts } from '../sandbox/mounts.ts'
import type { SandboxNeeds } from '../sandbox/needs.ts'

/** What the options say that the system needs in its sandbox. */
export interface NeedOptions {
  mount?: string[]
}

/**
 * The needs that the options name.
 * @throws WrongNeed for a path that cannot be mounted
 */
export function neededBy({ mount: mounts = [] }: NeedOptions): SandboxNeeds {
  // Before anything is started.
  resolveMounts(mounts)
  return { mounts: mounts.map(path => resolve(path)) }
}
