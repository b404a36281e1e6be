import type { ProbeApi } from '../probe/api.ts'

export type SandboxKind = 'container' | 'namespace'

/** What a sandbox is given only where it is asked for. */
export interface SandboxRights {
  /** To mount memory disks of its own, as some faults do. A container never may. */
  mayMount?: boolean
}

/** A closed place with processes, folders and tmux sockets of its own, and the probe inside it. */
export interface Sandbox extends AsyncDisposable {
  kind: SandboxKind
  probe: ProbeApi
}
/** What `--sandbox` accepts. */
export const sandboxChoices = ['auto', 'container', 'namespace'] as const
export type SandboxChoice = (typeof sandboxChoices)[number]
