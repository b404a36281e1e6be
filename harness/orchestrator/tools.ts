import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { type AgentRef, isTerminal, layout, validateTaskId } from '../../cleanup/index.ts'
import { deploy } from './deploy.ts'
import type { Strategy } from './strategies/strategy.ts'
import { hasSession } from './tmux.ts'

const ids = { task_id: z.string(), agent_id: z.string() }

/** The MCP server with the report's tools, on one workspace. */
export function createServer(workspace: string, strategy: Strategy): McpServer {
  const server = new McpServer({ name: 'claude-orchestrator', version: '0.1.0' })
  const refer = ({ task_id, agent_id }: { task_id: string; agent_id: string }): AgentRef =>
    layout.validateRef({ workspace, taskId: task_id, agentId: agent_id })

  server.registerTool(
    'create_real_task',
    {
      description: 'Create a task: a folder in the workspace with a registry of its agents.',
      inputSchema: z.object({ description: z.string(), priority: z.string().optional() }),
    },
    answer(async ({ description, priority = 'P2' }) => {
      const now = new Date()
      const taskId = `TASK-${timestamp(now)}-${randomBytes(4).toString('hex')}`
      const folder = layout.taskFolder(workspace, taskId)
      mkdirSync(folder, { recursive: true })
      await strategy.addTask(workspace, {
        task_id: taskId,
        task_description: description,
        created_at: now.toISOString(),
        workspace: folder,
        status: 'INITIALIZED',
        priority,
      })
      return { task_id: taskId, workspace: folder, status: 'INITIALIZED' }
    }),
  )

  server.registerTool(
    'deploy_headless_agent',
    {
      description: 'Start a headless Claude on a task, in a tmux session of its own.',
      inputSchema: z.object({
        task_id: z.string(),
        agent_type: z.string(),
        prompt: z.string(),
        parent: z.string().default('orchestrator'),
      }),
    },
    answer(async ({ task_id, agent_type, prompt, parent }) => {
      validateTaskId(task_id)
      const deployment = { workspace, taskId: task_id, agentType: agent_type, prompt, parent }
      const { id, tmux_session } = await deploy(deployment, strategy)
      return { agent_id: id, tmux_session, task_id, type: agent_type, parent, status: 'deployed' }
    }),
  )

  server.registerTool(
    'kill_real_agent',
    {
      description: 'End an agent.',
      inputSchema: z.object({ ...ids, reason: z.string().default('Manual termination') }),
    },
    answer(async ({ reason, ...agent }) => ({ ...agent, ...(await strategy.kill(refer(agent), reason)) })),
  )

  server.registerTool(
    'update_agent_progress',
    {
      description: 'Report the progress of an agent; a terminal status ends it.',
      inputSchema: z.object({
        ...ids,
        status: z.string(),
        message: z.string(),
        progress: z.number().min(0).max(100).default(0),
      }),
    },
    answer(async ({ status, message, progress, ...agent }) => {
      const ref = refer(agent)
      const line = {
        timestamp: new Date().toISOString(),
        agent_id: agent.agent_id,
        status,
        message,
        progress,
      }
      await noteProgress(ref, strategy, line)
      const ended = isTerminal(status) ? await strategy.ended(ref, { status, reason: message }) : {}
      return { ...agent, status, progress, ...ended }
    }),
  )

  server.registerTool(
    'report_agent_finding',
    {
      description: 'Report something that an agent found.',
      inputSchema: z.object({
        ...ids,
        finding_type: z.string(),
        severity: z.string(),
        message: z.string(),
        data: z.record(z.string(), z.unknown()).default({}),
      }),
    },
    answer(async finding => {
      const file = layout.findingsFile(refer(finding))
      await requireLive(refer(finding), strategy)
      append(file, { timestamp: new Date().toISOString(), ...finding })
      return { agent_id: finding.agent_id, recorded: true }
    }),
  )

  server.registerTool(
    'get_agent_output',
    {
      description: 'The last lines of an agent’s log, and whether its session runs.',
      inputSchema: z.object({ ...ids, lines: z.number().int().positive().default(50) }),
    },
    answer(async ({ lines, ...agent }) => {
      const ref = refer(agent)
      const running = await hasSession(layout.sessionName(ref))
      // Before the cleanup moves it; after that, it is found in the archive.
      const output = tail(ref, lines)
      const cleanup = running ? {} : await strategy.seenEnded?.(ref)
      return { ...agent, session_status: running ? 'running' : 'terminated', output, ...cleanup }
    }),
  )

  server.registerTool(
    'get_real_task_status',
    { description: 'A task with all its agents.', inputSchema: z.object({ task_id: z.string() }) },
    answer(async ({ task_id }) => {
      validateTaskId(task_id)
      return { task_id, agents: await strategy.readAgents(workspace, task_id) }
    }),
  )

  return server
}

/** A tool's answer is JSON text; what it throws is one sentence, marked as an error. */
function answer<Input>(tool: (input: Input) => Promise<Record<string, unknown>>) {
  return async (input: Input) => {
    try {
      return text({ success: true, ...(await tool(input)) })
    } catch (error) {
      return {
        ...text({ success: false, error: error instanceof Error ? error.message : String(error) }),
        isError: true,
      }
    }
  }
}

function text(data: Record<string, unknown>) {
  return { content: [{ type: 'text' as const, text: JSON.stringify(data) }] }
}

function timestamp(date: Date): string {
  return date.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
}

interface ProgressLine {
  timestamp: string
  agent_id: string
  status: string
  message: string
  progress: number
}

async function noteProgress(agent: AgentRef, strategy: Strategy, line: ProgressLine): Promise<void> {
  await requireLive(agent, strategy)
  append(layout.progressFile(agent), line)
  if (isTerminal(line.status)) return
  await strategy.updateAgent(agent, entry => {
    if (isTerminal(entry.status)) return
    Object.assign(entry, { status: line.status, progress: line.progress, last_update: line.timestamp })
  })
}

/** A line for an agent that has ended would make its files anew, beside those in the archive. */
async function requireLive(agent: AgentRef, strategy: Strategy): Promise<void> {
  const agents = await strategy.readAgents(agent.workspace, agent.taskId)
  const entry = agents.find(({ id }) => id === agent.agentId)
  if (!entry) throw new Error(`No agent ${agent.agentId} in ${agent.taskId}: deploy it first.`)
  if (isTerminal(entry.status)) {
    throw new Error(`Agent ${agent.agentId} is ${entry.status} already: it can report nothing more.`)
  }
}

function append(file: string, line: object): void {
  mkdirSync(dirname(file), { recursive: true })
  appendFileSync(file, `${JSON.stringify(line)}\n`)
}

function tail(agent: AgentRef, lines: number): string[] {
  const log = layout.streamLog(agent)
  for (const file of [log, join(layout.archiveFolder(agent), basename(log))]) {
    try {
      return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return []
}
