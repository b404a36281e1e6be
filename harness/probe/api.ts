import type { ProcessIdentity, Reading } from '../snapshot/snapshot.ts'
import type { DeployedAgent, ReportedResources } from './owners.ts'
import type { Places } from './places.ts'
import type { AwaitedProcess } from './signal-when-seen.ts'
import type { ToolResult } from './tools.ts'

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
  registerAgent(agent: DeployedAgent): Promise<void>
  /** What an agent made, as it says itself: processes that live now, and files. */
  registerReported(agent: string, things: ReportedResources): Promise<void>
  snapshot(): Promise<Reading>
  /** ps-list's count of the same processes: the second instrument. */
  countByPs(): Promise<number>
  /** Starts a process that is nobody's agent, in a session of its own, with its output thrown away. */
  plant(command: string[], env?: Record<string, string>): Promise<ProcessIdentity>
  /** Signals a process if it is still that process; false when it is gone. */
  signal(target: ProcessIdentity, signal: string): Promise<boolean>
  /** Waits for a process and signals it; undefined when none came, or it had ended before its time. */
  signalWhenSeen(which: AwaitedProcess, signal: string): Promise<ProcessIdentity | undefined>
  /** Runs a program to its end. */
  run(command: string[]): Promise<ToolResult>
  /** Text of a file; undefined when there is none. */
  read(path: string): Promise<string | undefined>
  write(path: string, text: string): Promise<void>
  /** The regular files below a folder, with their bytes in base64. */
  collect(folder: string): Promise<{ path: string; base64: string }[]>
}
