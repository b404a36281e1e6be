import type { ProbeApi } from '../probe/api.ts'
import type { ProcessIdentity } from '../snapshot/snapshot.ts'

export type SandboxKind = 'container' | 'namespace'

/** By what it can be checked that a sandbox is gone. Plain data. */
export interface SandboxTraces {
  /** Its processes, and those that keep it running, as this machine's process table shows them; none for a container. */
  processes: ProcessIdentity[]
  container?: string
  /** The address of the container's engine, where one was named. */
  engine?: string
}

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
  /** What of it this machine, or its engine, has now. */
  traces(): SandboxTraces
}

/** Where the programs of a sandbox come from, for messages. */
export const placeOf = ({ kind, image }: Sandbox): string =>
  image === undefined ? `the ${kind} sandbox` : `the image ${image}`

/** The values of `--sandbox`. */
export const sandboxChoices = ['auto', 'container', 'namespace'] as const
export type SandboxChoice = (typeof sandboxChoices)[number]
