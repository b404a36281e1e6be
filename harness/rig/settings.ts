import { inject } from 'vitest'
import type { SandboxNeeds } from '../sandbox/needs.ts'
import type { SandboxKind } from '../sandbox/sandbox.ts'
import { chooseSandbox } from '../sandbox/start.ts'
import type { RigSettings } from './rig-settings.ts'

const defaults: RigSettings = {
  system: undefined,
  sandbox: 'auto',
  needs: {},
  keep: false,
  live: false,
  withoutCleanup: false,
  mayBeSkipped: false,
  hold: undefined,
}

/** The settings of this run: what was provided, and defaults for the rest. */
export const settings = (): RigSettings => ({ ...defaults, ...inject('leakrig') })

let chosen: Promise<SandboxKind> | undefined

/**
 * The kind of sandbox of this run. The commands have chosen one already; otherwise it is chosen once in each worker.
 * @throws CannotMeasureError when none can be started
 */
export function sandboxKind(needs: SandboxNeeds): Promise<SandboxKind> {
  const { sandbox } = settings()
  if (sandbox !== 'auto') return Promise.resolve(sandbox)
  chosen ??= chooseSandbox(sandbox, false, needs).then(({ kind }) => kind)
  return chosen
}
