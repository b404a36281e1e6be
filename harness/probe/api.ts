import type { Reading } from '../snapshot/snapshot.ts'
import type { KnownAgent, OwnThings } from './owners.ts'
import type { FirstSeen } from './signal-when-seen.ts'
import type { ToolResult } from './tools.ts'

/** A process, by an identity that survives the reuse of its pid. */
export interface ProcessIdentity {
  pid: number
  /** Clock ticks since boot, field 22 of proc_pid_stat(5). */
  start: number
}

/** How to start the system under test: an MCP server that speaks over stdio. */
export interface SystemCommand {
  command: string
  args: string[]
  env: Record<string, string>
  cwd: string
}

/** What an MCP tool answered: its text, parsed where it is JSON. */
export interface ToolAnswer {
  isError: boolean
  content: unknown
}

/** The places inside the sandbox, the same in every kind of sandbox. */
export interface Places {
  /** The sandbox's private folder; everything a scenario makes lies below it. */
  root: string
  home: string
  tmux: string
  work: string
  workspace: string
  /** The rig's own journals and gates; left out of snapshots. */
  own: string
  /** The Node that the probe runs on: what is started in the sandbox runs on it too. */
  node: string
}

/** What the rig can ask of its hand inside the sandbox. Every call is one round trip. */
export interface ProbeApi {
  /** The version of Node that the probe runs on, and its places. */
  hello(): Promise<{ node: string; places: Places }>
  /** Ends everything but the probe in one instant, as a power cut does; every file stays. */
  powerOff(): Promise<void>
  /** Ends everything but the probe and empties the sandbox's folders, for the next scenario. */
  reset(): Promise<void>
  startSystem(system: SystemCommand): Promise<ProcessIdentity>
  callTool(name: string, args: Record<string, unknown>): Promise<ToolAnswer>
  /** What the system wrote to its standard error so far. */
  systemLog(): Promise<string>
  knowAgent(agent: KnownAgent): Promise<void>
  /** What an agent made, as it says itself: processes that live now, and files. */
  knowThings(agent: string, things: OwnThings): Promise<void>
  snapshot(): Promise<Reading>
  /** ps-list's count of the same processes: the second instrument. */
  countByPs(): Promise<number>
  /** Starts a process that is nobody's agent, in a session of its own, with its output thrown away. */
  plant(command: string[], env?: Record<string, string>): Promise<ProcessIdentity>
  /** Signals a process if it is still that process; false when it is gone. */
  signal(target: ProcessIdentity, signal: string): Promise<boolean>
  /** Waits for a process and signals it; undefined when none came, or it had ended before its time. */
  signalFirst(which: FirstSeen, signal: string): Promise<ProcessIdentity | undefined>
  /** Runs a program to its end. */
  run(command: string[]): Promise<ToolResult>
  /** Text of a file; undefined when there is none. */
  read(path: string): Promise<string | undefined>
  write(path: string, text: string): Promise<void>
  /** The regular files below a folder, with their bytes in base64. */
  collect(folder: string): Promise<{ path: string; base64: string }[]>
}
