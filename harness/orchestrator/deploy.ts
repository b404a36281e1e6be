import { randomBytes } from 'node:crypto'
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
 * Starts one headless Claude in the tmux session `agent_<id>`, its output going through `tee` into its log.
 * The registry knows of the agent before tmux does: a deploy that dies halfway is still somebody's.
 * @throws when the type makes no valid id, no `claude` is found, or tmux refuses; the strategy then ends what was begun.
 */
export async function deploy(deployment: Deployment, strategy: Strategy): Promise<AgentEntry> {
  const agent = { ...deployment, agentId: newAgentId(deployment.agentType) }
  layout.validateRef(agent)
  const claude = findClaude()
  const launch = prepare(agent, claude, strategy)
  const entry = { ...newEntry(agent, deployment), ...(launch.contained && { contained: launch.contained }) }
  // A task that is not there gets no folder.
  await strategy.readTask(agent.workspace, agent.taskId)
  // For tee, which opens the log by its name: where a link is in the folder's place, nothing is begun.
  makeFolder(agent.workspace, dirname(layout.streamLog(agent)))
  await strategy.addAgent(agent, entry)
  try {
    writePrompt(agent, deployment.prompt)
    const tmux = await newSession(
      layout.sessionName(agent),
      process.cwd(),
      environmentOf(agent),
      launch.command,
    )
    const contained = await launch.confirm(tmux.pane_pid)
    let hasEnded = false
    await strategy.updateAgent(agent, known => {
      // Dropped where it turned out to hold nothing: JSON leaves out what is undefined.
      Object.assign(known, { tmux, contained })
      hasEnded = isTerminal(known.status)
    })
    // Somebody ended it while tmux was at work: they could not know of this session.
    if (hasEnded) await strategy.seenEnded?.(agent)
    writeDeployLog(agent, entry)
  } catch (error) {
    await strategy.ended(agent, {
      status: 'error',
      reason: `it could not be started: ${String(error)}`,
    })
    throw error
  }
  return entry
}

function prepare(agent: AgentRef, claude: string, strategy: Strategy): Launch {
  const command = pipeline(agent, claude)
  if (strategy.contains) return contain(agent, command)
  return { command: ['bash', '-c', command], confirm: async () => undefined }
}

/** Ids as in the report: `investigator-225442-dfe9d7`, the type, the time of day and six random digits. */
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
  }
}

/** The prompt tells the agent who it is: it has to name itself when it reports. */
function writePrompt(agent: AgentRef, prompt: string): void {
  const text = `agent_id: ${agent.agentId}\ntask_id: ${agent.taskId}\n\n${prompt}\n`
  createFile(agent.workspace, layout.promptFile(agent), text)
}

/** `claude` is looked up here: the tmux server may have been started with another PATH. */
function findClaude(): string {
  const wanted = process.env.CLAUDE_EXECUTABLE ?? 'claude'
  if (wanted.includes('/')) return resolve(wanted)
  const found = findProgram(wanted)
  if (found) return found
  throw new Error(
    `No program \`${wanted}\` on the PATH: install Claude Code, or set CLAUDE_EXECUTABLE to its path.`,
  )
}

function pipeline(agent: AgentRef, claude: string): string {
  const flags = process.env.CLAUDE_FLAGS ?? defaultFlags
  const run = `${quote(claude)} ${flags} --mcp-config ${quote(mcpConfig(agent))}`
  return `${run} -- "$(cat ${quote(layout.promptFile(agent))})" | tee ${quote(layout.streamLog(agent))}`
}

/** What every process of the agent is started with; its instance of this server acts for the agent that is named here. */
function environmentOf(agent: AgentRef): Record<string, string> {
  return { [MARKER]: agentMarker(agent), CLAUDE_ORCHESTRATOR_WORKSPACE: agent.workspace }
}

/**
 * Every agent starts an instance of this very server: that is how it reports, from inside its own pane. It is told whose
 * it is also where a claude hands down no environment, or it would take itself for the one that people talk to.
 */
function mcpConfig(agent: AgentRef): string {
  const server = {
    command: process.execPath,
    args: process.argv.slice(1),
    env: environmentOf(agent),
  }
  return JSON.stringify({ mcpServers: { 'claude-orchestrator': server } })
}

function writeDeployLog(agent: AgentRef, entry: AgentEntry): void {
  const line = { ...entry, deployed_at: new Date().toISOString() }
  appendLine(agent.workspace, layout.deployLog(agent), line)
}
