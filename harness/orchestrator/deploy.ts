import { randomBytes } from 'node:crypto'
import { accessSync, constants, lstatSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  type AgentEntry,
  type AgentRef,
  agentMarker,
  contain,
  findProgram,
  isTerminal,
  type Launch,
  layout,
  MARKER,
  makeFolder,
  quote,
  thisWorld,
} from '../../cleanup/orchestrator.ts'
import { appendLine, createFile } from './files.ts'
import type { Strategy } from './strategies/strategy.ts'
import { newSession } from './tmux.ts'

export interface Deployment {
  workspace: string
  taskId: string
  agentType: string
  prompt: string
  parent: string
}

const defaultFlags = '--print --output-format stream-json --verbose --dangerously-skip-permissions'

/**
 * Starts one headless Claude in the tmux session `agent_<id>`, with `tee` writing its output to its log. The agent is
 * registered before tmux starts its session, so that a deploy which is killed halfway can be cleaned up.
 * @throws when the type makes no valid id, no `claude` is found, or tmux fails; the strategy then ends the agent
 */
export async function deploy(deployment: Deployment, strategy: Strategy): Promise<AgentEntry> {
  const agent = { ...deployment, agentId: newAgentId(deployment.agentType) }
  layout.validateRef(agent)
  const claude = findClaude()
  const launch = prepare(agent, claude, strategy)
  const entry = { ...newEntry(agent, deployment), ...(launch.contained && { contained: launch.contained }) }
  // Throws for a task that does not exist, before its folder would be made.
  await strategy.readTask(agent.workspace, agent.taskId)
  // tee opens the log by its path: where a link is in the folder's place, this throws before anything starts.
  makeFolder(agent.workspace, dirname(layout.streamLog(agent)))
  await strategy.addAgent(agent, entry)
  try {
    writePrompt(agent, deployment.prompt)
    const log_inode = createLog(agent)
    const tmux = await newSession(
      layout.sessionName(agent),
      process.cwd(),
      environmentOf(agent),
      launch.command,
    )
    const contained = await launch.confirm(tmux.pane_pid)
    let hasEnded = false
    await strategy.updateAgent(agent, registered => {
      // An undefined `contained` removes the field: the containment turned out not to work.
      Object.assign(registered, { tmux, contained, log_inode })
      hasEnded = isTerminal(registered.status)
    })
    // Somebody ended the agent while tmux started its session, which that ending could not see.
    if (hasEnded) await strategy.seenEnded?.(agent)
    writeDeployLog(agent, entry)
  } catch (error) {
    const failure = launchFailure(error)
    await strategy.ended(agent, { status: 'error', reason: `it could not be started: ${failure.message}` })
    throw failure
  }
  return entry
}

/** The longest part of a failed program's output that goes into a sentence, in characters. */
const LONGEST_OUTPUT = 400

/** The error of a failed deploy: of a failed tmux what it printed, and not its command line, which holds the whole pipeline. */
function launchFailure(error: unknown): Error {
  const { stderr } = Object(error) as { stderr?: unknown }
  if (typeof stderr !== 'string' || stderr.trim() === '')
    return error instanceof Error ? error : new Error(String(error))
  const printed = stderr
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_OUTPUT)
  return new Error(`tmux could not start the agent’s session: ${printed}`, { cause: error })
}

function prepare(agent: AgentRef, claude: string, strategy: Strategy): Launch {
  const command = pipeline(agent, claude, strategy.contains === true)
  if (strategy.contains) return contain(agent, command)
  return { command: ['bash', '-c', command], confirm: async () => undefined }
}

/** An id as in the report: type, time of day and six random digits, such as `investigator-225442-dfe9d7`. */
function newAgentId(type: string): string {
  const time = new Date().toISOString().slice(11, 19).replaceAll(':', '')
  return `${type}-${time}-${randomBytes(3).toString('hex')}`
}

function newEntry(agent: AgentRef, { agentType, parent }: Deployment): AgentEntry {
  const now = new Date().toISOString()
  return {
    id: agent.agentId,
    type: agentType,
    parent,
    status: 'running',
    tmux_session: layout.sessionName(agent),
    started_at: now,
    last_update: now,
    progress: 0,
    prompt_file: layout.promptFile(agent),
    log_file: layout.streamLog(agent),
    deploy_log: layout.deployLog(agent),
    deployed_on: thisWorld(),
  }
}

/**
 * Makes the log before tee opens it, and returns its inode. The cleanup finds the log by it, and does not take a log that is
 * gone for one that never was.
 */
function createLog(agent: AgentRef): string {
  const log = layout.streamLog(agent)
  createFile(agent.workspace, log, '')
  return String(lstatSync(log, { bigint: true }).ino)
}

/** The prompt contains the agent's id, which it has to give when it reports. */
function writePrompt(agent: AgentRef, prompt: string): void {
  const text = `agent_id: ${agent.agentId}\ntask_id: ${agent.taskId}\n\n${prompt}\n`
  createFile(agent.workspace, layout.promptFile(agent), text)
}

/** Resolved here, because the tmux server may have been started with another PATH. */
function findClaude(): string {
  const wanted = process.env.CLAUDE_EXECUTABLE ?? 'claude'
  if (wanted.includes('/')) {
    const file = resolve(wanted)
    if (isExecutable(file)) return file
    throw new Error(
      `${file} cannot be started: expected a file that may be executed; set CLAUDE_EXECUTABLE to one.`,
    )
  }
  const found = findProgram(wanted)
  if (found) return found
  throw new Error(
    `No program \`${wanted}\` on the PATH: install Claude Code, or set CLAUDE_EXECUTABLE to its path.`,
  )
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

/** `keepsErrors`: what the shell or claude prints as errors goes to a file that the cleanup archives, instead of the pane. */
function pipeline(agent: AgentRef, claude: string, keepsErrors: boolean): string {
  const flags = process.env.CLAUDE_FLAGS ?? defaultFlags
  const run = `${quote(claude)} ${flags} --mcp-config ${quote(mcpConfig(agent))}`
  const errors = keepsErrors ? ` 2>>${quote(layout.stderrFile(agent))}` : ''
  const claudeWithPrompt = `${run} -- "$(cat ${quote(layout.promptFile(agent))})"${errors}`
  // Appending, so that a rotation may truncate the log, and a pane that is started again does not.
  return `${claudeWithPrompt} | tee -a ${quote(layout.streamLog(agent))}`
}

/** The environment that marks every process of the agent, and gives its instance of this server its rights. */
function environmentOf(agent: AgentRef): Record<string, string> {
  return { [MARKER]: agentMarker(agent), CLAUDE_ORCHESTRATOR_WORKSPACE: agent.workspace }
}

/**
 * Every agent starts an instance of this server, by which it reports from inside its own pane. The marker is part of the
 * configuration, because a claude may pass on no environment, and an instance without it would act for every agent.
 */
function mcpConfig(agent: AgentRef): string {
  const variables = Object.entries(environmentOf(agent))
  const server = {
    command: asItIs(process.execPath),
    args: process.argv.slice(1).map(asItIs),
    env: Object.fromEntries(variables.map(([name, value]) => [name, asItIs(value)])),
  }
  return JSON.stringify({ mcpServers: { 'claude-orchestrator': server } })
}

/**
 * A text of an MCP configuration that claude takes as it is. In these texts claude replaces `${NAME}` by the variable, so a
 * workspace in a folder of that name would be another one. There is no escape, but `${NAME:-default}` for a variable that is
 * not set, whose value is not read again.
 */
// biome-ignore lint/suspicious/noTemplateCurlyInString: claude's variables
const asItIs = (text: string): string => text.replaceAll('${', '${LEAKRIG_NOT_SET:-$$}{')

function writeDeployLog(agent: AgentRef, entry: AgentEntry): void {
  const line = { ...entry, deployed_at: new Date().toISOString() }
  appendLine(agent.workspace, layout.deployLog(agent), line)
}
