import type { System } from '../definition/system.ts'
import type { SandboxNeeds } from '../sandbox/needs.ts'
import type { SoakPlan } from '../soak/round.ts'

declare module 'vitest' {
  interface ProvidedContext {
    leakrig: Partial<RigSettings>
  }
}

/** What the commands provide to the tests. In somebody's own suite nobody does, or only some of it. */
export interface RigSettings {
  /**
   * The name of one of our own systems, or a system that was read from a configuration; by default that of the
   * leakrig.config.* in the current folder, or `hybrid`.
   */
  system: string | System | undefined
  /** Where scenarios run; by default in a container if an engine answers, otherwise in Linux namespaces. */
  sandbox: 'auto' | 'container' | 'namespace'
  /** What the system needs in its sandbox. */
  needs: SandboxNeeds
  /** Copy the files of each scenario out of its sandbox; those of a failed one are always copied. */
  keep: boolean
  /** Somebody watches: send every scenario's progress to the reporter. */
  live: boolean
  /** The catalogue runs against a system that cleans nothing up, and every cell has to leak as its table says. */
  withoutCleanup: boolean
  /** Only for `leakrig soak`. */
  soak?: SoakPlan
  /** Only for `npm test` in the clone: skip scenarios, with the reason, where no sandbox can be started. */
  mayBeSkipped: boolean
  /** Serve the scenario on a socket, and keep its sandbox until somebody ends it: `leakrig reproduce`. */
  hold: HoldSettings | undefined
}

/** What `leakrig reproduce` asks for. */
interface HoldSettings {
  /** The path of the socket. */
  socket: string
  /** What the user called it. */
  name: string
  /** The process that the user started, and where. */
  pid: number
  folder: string
  /** For the scenario of a leak shape: what the agent leaks, and how it ends. */
  shape?: string
  ending?: string
}
