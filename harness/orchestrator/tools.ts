import { randomBytes } from 'node:crypto'
import { McpServer } from '@modelcontextprotocol/server'
import { type AgentRef, isTerminal, layout, validateTaskId } from '../../cleanup/orchestrator.ts'
import { answer } from './answer.ts'
import { authority } from './authority.ts'
import { deploy } from './deploy.ts'
import { inputs } from './inputs.ts'
import { lastLines } from './output.ts'
import { noteFinding, noteProgress } from './reports.ts'
import type { Strategy } from './strategies/strategy.ts'
import { hasSession } from './tmux.ts'

interface AgentIds {
  task_id: string
  agent_id: string
}

/**
 * The MCP server with the report's tools, for one workspace.
 * @param marker the value of LEAKRIG_AGENT at the start of the process, which decides for which agents it acts
 */
export function createServer(workspace: string, strategy: Strategy, marker: string | undefined): McpServer {
  const server = new McpServer({ name: 'claude-orchestrator', version: '0.1.0' })
  const rights = authority(workspace, strategy, marker)

  /** Wraps a tool that names an agent: it runs only for agents that this instance acts for. */
  const onAgent = <Input extends AgentIds>(
    tool: (agent: AgentRef, input: Input) => Promise<Record<string, unknown>>,
  ) =>
    answer<Input>(async input => {
      const agent = layout.validateRef({ workspace, taskId: input.task_id, agentId: input.agent_id })
      await rights.overAgent(agent)
      return tool(agent, input)
    }, strategy.problem)

  /** Wraps a tool that names a task in the same way. */
  const onTask = <Input extends { task_id: string }>(
    tool: (input: Input) => Promise<Record<string, unknown>>,
  ) =>
    answer<Input>(async input => {
      await rights.overTask(validateTaskId(input.task_id))
      return tool(input)
    }, strategy.problem)

  server.registerTool(
    'create_real_task',
    {
      description: 'Create a task: a folder in the workspace with a registry of its agents.',
      inputSchema: inputs.create_real_task,
    },
    answer(async ({ description, priority }) => {
      await rights.overAnything()
      const now = new Date()
      const taskId = `TASK-${timestamp(now)}-${randomBytes(4).toString('hex')}`
      const folder = layout.taskFolder(workspace, taskId)
      await strategy.addTask(workspace, {
        task_id: taskId,
        task_description: description,
        created_at: now.toISOString(),
        ...(rights.self && { created_by: rights.self }),
        workspace: folder,
        status: 'INITIALIZED',
        priority,
      })
      return { task_id: taskId, workspace: folder, status: 'INITIALIZED' }
    }, strategy.problem),
  )

  server.registerTool(
    'deploy_headless_agent',
    {
      description: 'Start a headless Claude on a task, in a tmux session of its own.',
      inputSchema: inputs.deploy_headless_agent,
    },
    onTask(async ({ task_id, agent_type, prompt, parent: wanted }) => {
      // The parent decides who may act for an agent, so an agent cannot choose it.
      const parent = rights.self ?? wanted
      const deployment = { workspace, taskId: task_id, agentType: agent_type, prompt, parent }
      const { id, tmux_session } = await deploy(deployment, strategy)
      return { agent_id: id, tmux_session, task_id, type: agent_type, parent, status: 'deployed' }
    }),
  )

  server.registerTool(
    'kill_real_agent',
    { description: 'End an agent.', inputSchema: inputs.kill_real_agent },
    onAgent(async (agent, { reason, ...named }) => ({ ...named, ...(await strategy.kill(agent, reason)) })),
  )

  server.registerTool(
    'update_agent_progress',
    {
      description: 'Report the progress of an agent; a terminal status ends it.',
      inputSchema: inputs.update_agent_progress,
    },
    onAgent(async (agent, { status, message, progress, ...named }) => {
      await noteProgress(agent, strategy, { status, message, progress })
      const ended = isTerminal(status) ? await strategy.ended(agent, { status, reason: message }) : {}
      return { ...named, status, progress, ...ended }
    }),
  )

  server.registerTool(
    'report_agent_finding',
    { description: 'Report something that an agent found.', inputSchema: inputs.report_agent_finding },
    onAgent(async (agent, finding) => {
      await noteFinding(agent, strategy, finding)
      return { agent_id: finding.agent_id, recorded: true }
    }),
  )

  server.registerTool(
    'get_agent_output',
    {
      description: 'The last lines of an agent’s log, and whether its session runs.',
      inputSchema: inputs.get_agent_output,
    },
    onAgent(async (agent, { lines, ...named }) => {
      const running = await hasSession(layout.sessionName(agent))
      // Read before the cleanup moves the log.
      const output = await lastLines(agent, lines)
      const cleanup = running ? {} : await strategy.seenEnded?.(agent)
      return { ...named, session_status: running ? 'running' : 'terminated', ...output, ...cleanup }
    }),
  )

  server.registerTool(
    'get_real_task_status',
    { description: 'A task with all its agents.', inputSchema: inputs.get_real_task_status },
    onTask(async ({ task_id }) => {
      const { agents } = await strategy.readTask(workspace, task_id)
      return { task_id, agents }
    }),
  )

  return server
}

function timestamp(date: Date): string {
  return date.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
}
