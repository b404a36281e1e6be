import { resolve } from 'node:path'
import { resolveMounts } from '../sandbox/mounts.ts'
import {
  requireEngineAddresses,
  requireImageName,
  requireNoImage,
  type SandboxNeeds,
} from '../sandbox/needs.ts'
import type { SandboxChoice } from '../sandbox/sandbox.ts'
import { needsOf } from '../systems/needs-of.ts'
import type { Chosen } from './chosen-systems.ts'

/** What the options say that the system needs in its sandbox. */
export interface NeedOptions {
  mount?: string[]
  image?: string
  engine?: string[]
  sandbox: SandboxChoice
}

/**
 * The needs that the options name and those of the system, checked before anything is started. The image of an option wins.
 * @throws WrongNeed for a path that cannot be mounted, and an image that cannot be used
 */
export function neededBy(
  { mount: mounts = [], image, engine: engines = [], sandbox }: NeedOptions,
  system: Chosen,
): SandboxNeeds {
  requireEngineAddresses(engines, sandbox === 'namespace')
  resolveMounts(mounts)
  const options = { mounts: mounts.map(path => resolve(path)), image, ...(engines.length > 0 && { engines }) }
  const needs = typeof system === 'string' ? options : needsOf(system, options)
  resolveMounts(needs.mounts ?? [])
  requireImageName(needs.image)
  if (sandbox === 'namespace') requireNoImage(needs)
  return needs
}
