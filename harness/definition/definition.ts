/**
 * How a system under test is described: what a `leakrig.config.ts` exports. docs/systems.md explains each field with
 * examples. Plain data, apart from functions and regular expressions, for which JSON has other spellings.
 */
export interface SystemDefinition {
  /** The name in reports, and for `--system`. */
  name: string
  /** An MCP server that speaks over stdio. It is started once for each scenario, and its tools can be called. */
  mcp?: McpServer
  /** Variables for the server and for every call, beside those of the sandbox. */
  env?: Record<string, string>
  /** Runs before the baseline: a repository, a configuration, a task. What its results name can be used later. */
  prepare?: Call | Call[]
  /** Starts an agent. Its results say what the system knows of it (`Ref`); the rig finds the rest. */
  deploy: Call | Call[]
  /** Ends an agent. */
  kill?: Call | Call[]
  /** Which agents the system takes for live: an agent that ended must not be among them. */
  list?: ListCall
  /** How an agent completes: it reports that itself, somebody else does, or its claude exits. */
  completes?: Completion
  /**
   * What cleans up after an agent that crashed: a call, which is made for each such agent, or `by itself` where a daemon of the
   * system does.
   */
  recover?: Call | Call[] | 'by itself'
  /** How many agents it runs at once, where that is limited. */
  maxAgents?: number
  /** Where an agent works: in a tmux session of its own (the default), in a pane of a shared session, or without tmux. */
  tmux?: 'session' | 'pane' | false
  /** How the fake claude gets its instructions, and what else it is to an agent. */
  claude?: ClaudeSettings
  /** What must be seen of a deployed agent, beside its claude and its pane, before it is ended. */
  load?: LoadItem[]
  /** Classes of files; the first pattern that matches a file's path decides. */
  files?: Partial<Record<DeclaredFileClass, Pattern | Pattern[]>>
  /** Files that the system keeps on purpose after an agent's end, and why. */
  keeps?: { path: Pattern; why: string }[]
  /** Registries in JSON files, which are compared with what lives. */
  registries?: Registry[]
  /** The statuses in the registries, where they are the same after each such ending. */
  statuses?: Partial<Record<Ending, string>>
  /** The log of an agent's stream-json output, and where it lies when the agent has ended. */
  logs?: Logs
  /** Folders and files of this machine that the sandbox shows, read-only. The configuration's folder is always shown. */
  mount?: string[]
  /** The image of a container, in place of the rig's own. */
  image?: string
  /**
   * Runs once, before any scenario, and puts all that it makes into `$LEAKRIG_INSTALL`, which calls know as `{install}`. The
   * result is cached by its inputs.
   */
  install?: { run: string; inputs?: string[] }
}

/** Gives a definition its type, and returns it as it is. */
export function defineSystem<Definition extends SystemDefinition | SystemDefinition[]>(
  definition: Definition,
): Definition {
  return definition
}

/** What is known of an agent: the values `{id}`, `{session}`, `{pane}`, `{socket}` and `{pid}` in calls. */
export interface Ref {
  /** How the system names it. */
  id?: string
  /** The name of its tmux session. */
  session?: string
  /** tmux's id of its pane, such as `%7`. */
  pane?: string
  /** The path of its tmux server's socket. */
  socket?: string
  /** The pid of its claude. */
  pid?: number
}

/**
 * A tool of an MCP server, a command of a shell, a file to read, or a function. In a list of calls, each can use what the
 * results before it name.
 */
export type Call = ToolCall | ShellCall | FileCall | ModuleCall | ((given: Given) => unknown)

/** Values by name, for the placeholders of a call and the argument of a function. */
export type Given = Record<string, string>

interface CommonCall {
  /** How long it may take, ms of a machine that has a processor to spare; 60,000 by default. */
  timeoutMs?: number
  /** Which values the answer has: a JSON pointer for each name (RFC 6901), or a pattern with named groups. */
  result?: Record<string, string> | Pattern
  /** Matches the text of an answer that is a failure, beside what every kind of call marks as one. */
  failedWhen?: Pattern
}

/** A call whose answer names agents. */
export type ListCall = (ToolCall | ShellCall) & {
  /** Matches each of them; its group `id` is what `{id}`, or else `{session}`, is of that agent. */
  each: RegExp | string
}

/** Calls a tool of the MCP server. */
export interface ToolCall extends CommonCall {
  tool: string
  /** Every string in it may hold placeholders such as `{prompt}`. */
  args?: Record<string, unknown>
}

/** Runs a command with `sh -c`. Each placeholder becomes one quoted word. An exit code other than 0 is a failure. */
export interface ShellCall extends CommonCall {
  run: string
  /** The scenario's project by default. May hold placeholders. */
  cwd?: string
  env?: Record<string, string>
}

/** Reads values out of a file, as soon as it is there and has them. */
export interface FileCall extends CommonCall {
  /** May hold placeholders. */
  read: string
}

/** Calls an exported function of a module with all values; all functions of a system run in one process. */
export interface ModuleCall extends CommonCall {
  /** The module's file, relative to the configuration. */
  module: string
  /** `default` by default. */
  export?: string
}

export interface Completion {
  /** What an agent does to report that it has completed. */
  inside?: InsideCall
  /** How somebody else reports it. */
  outside?: Call | Call[]
  /**
   * In place of `inside`, where nobody reports anything: claude prints its result and exits, and the system notices that by
   * itself (`true`), or in a call that is made after the exit, such as a poll of its status.
   */
  exit?: true | Call | Call[]
}

/** What an agent does inside its own pane to report that it has completed. */
export type InsideCall =
  | { tool: string; args?: Record<string, unknown> }
  | { run: string; env?: Record<string, string> }

export interface McpServer {
  /** The program with its arguments; each may hold placeholders. */
  command: string[]
  env?: Record<string, string>
  /** The scenario's project by default. May hold placeholders. */
  cwd?: string
}

export interface ClaudeSettings {
  /**
   * How a claude learns what it has to do: from its prompt (the default), from the environment of the deploy call, or from a
   * folder of orders of which it claims one.
   */
  directives?: 'prompt' | 'environment' | 'orders'
  /** Absolute paths at which the system expects claude, and where the fake one has to be. */
  covers?: string[]
  /** How long a deployed claude may take until it works, ms of a machine that has a processor to spare; 30,000 by default. */
  startsWithinMs?: number
  /** A shell command that every claude runs as soon as it has started, such as for a handshake. */
  onStart?: string
}

/** Something of an agent that a snapshot shows: a process by its name, a file by its class, or a log that is open. */
export type LoadItem = { process: string } | { file: DeclaredFileClass } | { open: Pattern }

export interface Registry {
  /** What it is called in findings: `the task registry`. */
  name: string
  /** Matches the paths of the registry's files. */
  path: Pattern
  /** A JSON pointer to the list of agents, or to an object that has them by id. */
  agents: string
  /** The field with an agent's id; `id` by default. */
  id?: string
  /** The field with its status; `status` by default. */
  status?: string
  /** The field that says why an agent ended. */
  reason?: string
  /** A JSON pointer to the number of live agents. */
  active?: string
}

/** How an agent stands: it works, or it ended in one of three ways. */
export const endings = ['working', 'completed', 'terminated', 'crashed'] as const
export type Ending = (typeof endings)[number]

export interface Logs {
  /** The path of an agent's log while it works, with placeholders: `{work}/logs/{id}.jsonl`. */
  live: string
  /** Its path once the agent has ended. Without it the log only must not lose lines. */
  archived?: string
  /** Other logs in the archive, each with the tool of which it records every call. */
  records?: { archived: string; tool: string }[]
}

/** A regular expression, or its source. */
export type Pattern = RegExp | string

/** The classes of files that a definition can declare. */
export const declaredFileClasses = [
  'archive',
  'prompt',
  'stream log',
  'progress',
  'findings',
  'deploy log',
  'registry',
  'lock',
  'state',
  'temp',
] as const
export type DeclaredFileClass = (typeof declaredFileClasses)[number]
