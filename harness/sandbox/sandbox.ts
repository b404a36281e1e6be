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
  /** The image that the system brought, in place of the rig's own. */
  image?: string | undefined
  /** The address of its container engine, where several are used. */
  engine?: string | undefined
  /** The folder that the install step has filled. */
  install?: string | undefined
  probe: ProbeApi
}

/** Where the programs of a sandbox come from, for messages. */
export const placeOf = ({ kind, image }: Sandbox): string =>
  image === undefined ? `the ${kind} sandbox` : `the image ${image}`

/** The values of `--sandbox`. */
export const sandboxChoices = ['auto', 'container', 'namespace'] as const
export type SandboxChoice = (typeof sandboxChoices)[number]
