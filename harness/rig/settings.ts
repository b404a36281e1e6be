import { inject } from 'vitest'
import type { System } from '../definition/system.ts'
import type { SandboxNeeds } from '../sandbox/needs.ts'
import type { SandboxChoice, SandboxKind } from '../sandbox/sandbox.ts'
import { chooseSandbox } from '../sandbox/start.ts'

declare module 'vitest' {
  interface ProvidedContext {
    leakrig: Partial<RigSettings>
  }
}

/** What the commands provide to the tests. In somebody's own suite nobody does, or only some of it. */
export interface RigSettings {
  /** The name of one of our own systems, or a system that was read from a configuration. */
  system: string | System | undefined
  sandbox: SandboxChoice
  /** What the system needs in its sandbox. */
  needs: SandboxNeeds
  /** Copy the files of each scenario out of its sandbox. */
  keep: boolean
  /** The catalogue runs against a system that cleans nothing up, and every cell has to leak as its table says. */
  withoutCleanup: boolean
  /** Only for `npm test`: skip scenarios, with the reason, where no sandbox can be started. */
  mayBeSkipped: boolean
}

const defaults: RigSettings = {
  system: undefined,
  sandbox: 'auto',
  needs: {},
  keep: false,
  withoutCleanup: false,
  mayBeSkipped: false,
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
