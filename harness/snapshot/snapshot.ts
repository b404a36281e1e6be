import { z } from 'zod'
import { declaredFileClasses } from '../definition/definition.ts'

/**
 * What the probe sees at one moment inside the sandbox. Plain data: it crosses the wire as JSON.
 * Every resource has an `id` that stays the same while the resource lives and is never reused: two snapshots are
 * compared by these ids and by nothing else.
 */
export interface Snapshot {
  /** When it was requested, in ms of the rig's monotonic clock (`performance.now()`). */
  at: number
  resources: Resource[]
  /** What the probe saw and left out on purpose, with the reason. A report prints it. */
  ignored: Ignored[]
  /** What the probe could not read. A snapshot with problems leads to no verdict. */
  problems: string[]
}

/** A snapshot without its time: the probe's clock may be another machine's. */
export type Reading = Omit<Snapshot, 'at'>

export const ignoredSchema = z.object({
  what: z.string(),
  why: z.string(),
  count: z.int().nonnegative(),
})

export type Ignored = z.infer<typeof ignoredSchema>

export type Resource =
  | ServerResource
  | SessionResource
  | PaneResource
  | ProcessResource
  | DescriptorResource
  | PtyResource
  | SocketResource
  | FileResource
  | RegistryResource

/** All of them; the types of findings and time lines fail to compile where one is missing. */
export const resourceKindSchema = z.enum([
  'server',
  'session',
  'pane',
  'process',
  'descriptor',
  'pty',
  'socket',
  'file',
  'registry',
])

export type ResourceKind = Resource['kind']

interface Common {
  id: string
  /** The agent that it belongs to, with the evidence; absent where nothing shows an owner. */
  owner?: Owner
}

export const ownerSchema = z.object({
  agent: z.string(),
  evidence: z.string().describe('How that is known.'),
})

export type Owner = z.infer<typeof ownerSchema>

export interface ServerResource extends Common {
  kind: 'server'
  pid: number
  socket: string
}

export interface SessionResource extends Common {
  kind: 'session'
  socket: string
  serverPid: number
  /** tmux's own id, such as `$3`: unique for the life of its server. */
  session: string
  name: string
  /** Seconds since the epoch. */
  created: number
}

export interface PaneResource extends Common {
  kind: 'pane'
  socket: string
  serverPid: number
  session: string
  sessionName: string
  /** tmux's own id, such as `%7`. */
  pane: string
  pid: number
  tty: string
  /** The pane outlived its process (remain-on-exit). */
  dead: boolean
}

export interface ProcessResource extends Common {
  kind: 'process'
  pid: number
  /** Start time in clock ticks since boot, field 22 of proc_pid_stat(5): with the pid, an identity. */
  start: number
  ppid: number
  pgid: number
  sid: number
  /** The controlling terminal's device number, 0 where there is none. */
  tty: number
  /** One letter of proc_pid_stat(5): R, S, D, Z (zombie), T (stopped) ... */
  state: string
  comm: string
  command: string
  /** Resident memory in bytes. */
  rss: number
  /** How many descriptors it holds open, /dev/null not counted. */
  descriptors: number
}

export interface DescriptorResource extends Common {
  kind: 'descriptor'
  pid: number
  comm: string
  fd: number
  path: string
  mode: 'r' | 'w' | 'rw'
  /** The file is deleted but still open, so that its space is not freed. */
  deleted: boolean
}

export interface PtyResource extends Common {
  kind: 'pty'
  path: string
}

export interface SocketResource extends Common {
  kind: 'socket'
  address: string
  inode: string
}

export const fileClassSchema = z.enum([...declaredFileClasses, 'claude state', 'other'])

export type FileClass = z.infer<typeof fileClassSchema>

export interface FileResource extends Common {
  kind: 'file'
  path: string
  class: FileClass
  bytes: number
}

/** One registry file, as far as the system declares what is in it. */
export interface RegistryResource extends Common {
  kind: 'registry'
  path: string
  /** What the system calls it. */
  name: string
  /** The number of live agents that it records, and the field with that number. */
  active?: { field: string; count: number }
  /** The status is missing in entries of some systems. */
  agents: { id: string; status?: string }[]
  /** What somebody else put there, by its place: source texts that no system may change (others-values.ts). */
  others?: Record<string, string>
}
/** A process, by an identity that survives the reuse of its pid. */
export interface ProcessIdentity {
  pid: number
  /** Clock ticks since boot, field 22 of proc_pid_stat(5). */
  start: number
}
