import type { ProbeApi } from '../probe/api.ts'

export type SandboxKind = 'container' | 'namespace'

/** Rights that a sandbox has only on request. */
export interface SandboxRights {
  /** To mount a tmpfs, which some faults need. A container never may. */
  mayMount?: boolean
  /** To make a pid namespace, as a container in it would be. A container never may. */
  mayNest?: boolean
}

/** An isolated place with processes, folders and tmux sockets of its own, and the probe inside it. */
export interface Sandbox extends AsyncDisposable {
  kind: SandboxKind
  probe: ProbeApi
}
/** The values of `--sandbox`. */
export const sandboxChoices = ['auto', 'container', 'namespace'] as const
export type SandboxChoice = (typeof sandboxChoices)[number]
