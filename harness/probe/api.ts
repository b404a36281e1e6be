import type { Layout } from '../definition/system.ts'
import type { ProcessIdentity, Reading } from '../snapshot/snapshot.ts'
import type { DeployedAgent, ReportedResources } from './owners.ts'
import type { SandboxFolders } from './places.ts'
import type { AwaitedProcess } from './signal-when-seen.ts'
import type { TerminalSize, UserCommand, UserOutput } from './terminals.ts'
import type { ToolResult } from './tools.ts'

/** A program of the system under test that runs as long as the scenario. */
export interface ProgramCommand {
  command: string
  args: string[]
  env: Record<string, string>
  cwd: string
}

/** What to start of a system before any call: its MCP server, and the process in which its modules' functions run. */
export interface SystemPrograms {
  mcp?: ProgramCommand
  functions?: ProgramCommand
}

/** A call whose placeholders are filled in. `timeoutMs` is for whoever waits for the answer. */
export type ReadyCall = { timeoutMs: number } & (
  | { kind: 'tool'; tool: string; args: Record<string, unknown> }
  | { kind: 'shell'; run: string; cwd: string; env: Record<string, string> }
  | { kind: 'function'; module: string; path: (string | number)[]; given: Record<string, string> }
)

export interface CallAnswer {
  /** The text of the answer, or what a function returned; parsed where it is JSON. */
  content: unknown
  /** Why the call failed, by its own rules: `isError`, an exit code, an exception. */
  failure?: string
}

/** The calls that the rig makes to the probe inside the sandbox. Every call is one round trip. */
export interface ProbeApi {
  /** The version of Node that the probe runs on, and its places. */
  hello(): Promise<{ node: string; places: SandboxFolders }>
  /** Ends everything but the probe at one moment, as a power cut does; every file stays. */
  powerOff(): Promise<void>
  /** Ends everything but the probe and empties the sandbox's folders, for the next scenario. */
  reset(layout?: Layout): Promise<void>
  /** Starts the system's programs; the identity of the first one, undefined where there is none. */
  startSystem(programs: SystemPrograms): Promise<ProcessIdentity | undefined>
  /** Calls the system. */
  call(call: ReadyCall): Promise<CallAnswer>
  /** What the system wrote so far: its programs' standard error, and the output of its commands. */
  systemOutput(): Promise<string>
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
  /** Starts a command of a person, who looks at the sandbox; what it runs is left out of snapshots. Its number. */
  openTerminal(wanted: UserCommand): Promise<number>
  /** Waits for output, 20 s at most. */
  readTerminal(id: number): Promise<UserOutput>
  writeTerminal(id: number, base64: string): Promise<void>
  resizeTerminal(id: number, size: TerminalSize): Promise<void>
  closeTerminal(id: number): Promise<void>
  /** Runs a program to its end. */
  run(command: string[]): Promise<ToolResult>
  /** Text of a file; undefined when there is none. */
  read(path: string): Promise<string | undefined>
  /** The last whole lines of a regular file, of so many bytes at most; undefined when there is none. */
  tail(path: string, bytes: number): Promise<string | undefined>
  write(path: string, text: string): Promise<void>
  /** The regular files below a folder, with their bytes in base64. */
  collect(folder: string): Promise<{ path: string; base64: string }[]>
}
