import { resolve } from 'node:path'
import { resolveMounts } from '../sandbox/mounts.ts'
import type { SandboxNeeds } from '../sandbox/needs.ts'
import { needsOf } from '../systems/needs-of.ts'
import type { Chosen } from './chosen-systems.ts'

/** What the options say that the system needs in its sandbox. */
export interface NeedOptions {
  mount?: string[]
}

/**
 * The needs that the options name, and those of the system.
 * @throws WrongNeed for a path that cannot be mounted
 */
export function neededBy({ mount: mounts = [] }: NeedOptions, system: Chosen): SandboxNeeds {
  // Before anything is started.
  resolveMounts(mounts)
  const options = { mounts: mounts.map(path => resolve(path)) }
  if (typeof system === 'string') return options
  const needs = needsOf(system, options)
  resolveMounts(needs.mounts ?? [])
  return needs
}
