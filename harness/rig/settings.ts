import type { SandboxKind } from '../sandbox/sandbox.ts'

/** What the command line hands to the tests; `npm test` runs with the defaults of vitest.config.ts. */
export interface RigSettings {
  system: string
  sandbox: SandboxKind
  /** Copy each scenario's workspace out of its sandbox, for a look. */
  keep: boolean
  /** The catalogue is run against a system that cleans nothing up, and every cell has to leak as its table says. */
  proof?: boolean
  /** Only for `npm test`: where no sandbox can be started, a scenario is skipped, and says why. */
  mayBeSkipped?: boolean
}
