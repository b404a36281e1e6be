import type { TerminalSize, UserOutput } from '../probe/terminals.ts'
import type { SandboxTraces } from '../sandbox/sandbox.ts'
import type { Progress } from '../timeline/progress.ts'
import type { Verdict } from '../verdict/verdict.ts'

/** A scenario that somebody looks at while its sandbox is there. The process with the rig serves it on a socket. */
export interface ReproductionApi {
  about(): Promise<About>
  /** What happens, and what there is: cheap enough for every second. */
  moment(): Promise<Moment>
  /** What differs from the baseline now. @throws before the scenario has come to its end */
  picture(): Promise<Picture>
  /** Starts a command in the sandbox, in the folder of the project. Its number. */
  open(wanted: Command): Promise<number>
  /** Waits for output, 20 s at most. */
  read(id: number): Promise<UserOutput>
  write(id: number, base64: string): Promise<void>
  resize(id: number, size: TerminalSize): Promise<void>
  close(id: number): Promise<void>
  /** By what it can be checked afterwards that the sandbox is gone. */
  traces(): Promise<SandboxTraces>
  /** Ends the scenario and its sandbox, at whatever point it is. */
  end(): Promise<void>
}

/** What a person started: `leakrig reproduce <name>`. */
export interface About {
  name: string
  /** The process that was started, and where. */
  pid: number
  folder: string
  /** The process with the rig, a child of it. */
  worker: number
  system: string
  sandbox: string
}

export interface Moment extends Progress {
  /** For how long it has been doing that, ms. */
  stepMs: number
  /** It is `held` when the scenario has come to its end, and waits. */
  phase: 'building' | 'held'
  /** How many agents were deployed. */
  agents: number
  /** How many resources are left; only when it is held. */
  left: number | undefined
  /** How many of the files a policy allows; 0 before it is held. */
  kept: number
  /** A session of an agent is there. */
  canAttach: boolean
}

export interface Picture extends Pick<Verdict, 'leaks' | 'collateral' | 'counts' | 'notes'> {
  /** How many of the files a policy allows. */
  kept: number
  /** Why the scenario has no verdict, in a sentence. */
  failure: string | undefined
  /** Agents of which something is left, the first one with the most. */
  agents: string[]
  /** Sessions of agents, each with the command that attaches to it. */
  sessions: { name: string; command: string[] }[]
}

/** What to run: a command, or a shell. Without a terminal its two outputs are kept apart. */
export interface Command {
  command?: string[]
  terminal?: TerminalSize & { type: string }
}
