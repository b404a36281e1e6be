import type { ProcessIdentity, Reading } from '../snapshot/snapshot.ts'
import type { DeployedAgent, ReportedResources } from './owners.ts'
import type { SandboxFolders } from './places.ts'
import type { AwaitedProcess } from './signal-when-seen.ts'
import type { ToolResult } from './tools.ts'

/** How to start the system under test: an MCP server that speaks over stdio. */
export interface SystemCommand {
  command: string
  args: string[]
  env: Record<string, string>
  cwd: string
}

/** The answer of an MCP tool: its text, parsed where it is JSON. */
export interface ToolAnswer {
  isError: boolean
  content: unknown
}

/** The calls that the rig makes to the probe inside the sandbox. Every call is one round trip. */
export interface ProbeApi {
  /** The version of Node that the probe runs on, and its places. */
  hello(): Promise<{ node: string; places: SandboxFolders }>
  /** Ends everything but the probe at one moment, as a power cut does; every file stays. */
  powerOff(): Promise<void>
  /** Ends everything but the probe and empties the sandbox's folders, for the next scenario. */
  reset(): Promise<void>
  startSystem(system: SystemCommand): Promise<ProcessIdentity>
  callTool(name: string, args: Record<string, unknown>): Promise<ToolAnswer>
  /** What the system wrote to its standard error so far. */
  systemLog(): Promise<string>
  registerAgent(agent: DeployedAgent): Promise<void>
  /** Processes that run now, and files, which an agent itself reported to have made. */
  registerReported(agent: string, things: ReportedResources): Promise<void>
  snapshot(): Promise<Reading>
  /** ps-list's count of the same processes: the second instrument. */
  countByPs(): Promise<number>
  /** Starts a process that belongs to no agent, in a session of its own, without output. */
  plant(command: string[], env?: Record<string, string>): Promise<ProcessIdentity>
  /** Sends a signal to a process, identified by pid and start; false when that process is gone. */
  signal(target: ProcessIdentity, signal: string): Promise<boolean>
  /** Waits for a process and sends it a signal; undefined when none appeared, or it ended before the signal was due. */
  signalWhenSeen(awaited: AwaitedProcess, signal: string): Promise<ProcessIdentity | undefined>
  /** Runs a program to its end. */
  run(command: string[]): Promise<ToolResult>
  /** Text of a file; undefined when there is none. */
  read(path: string): Promise<string | undefined>
  write(path: string, text: string): Promise<void>
  /** The regular files below a folder, with their bytes in base64. */
  collect(folder: string): Promise<{ path: string; base64: string }[]>
}
