import type { Claude } from '../../process/claude.ts'
import { toolUse } from '../../process/output/events.ts'

export function reportWorking(claude: Claude): Promise<void> {
  return callTool(claude, 'update_agent_progress', {
    status: 'working',
    message: 'Working on it',
    progress: 30,
  })
}

export function reportCompleted(claude: Claude): Promise<void> {
  return callTool(claude, 'update_agent_progress', {
    status: 'completed',
    message: 'All done',
    progress: 100,
  })
}

export function reportFinding(claude: Claude): Promise<void> {
  return callTool(claude, 'report_agent_finding', {
    finding_type: 'insight',
    severity: 'low',
    message: 'A finding of the fake claude',
    data: { fake: true },
  })
}

/** Calls the tool of whichever server offers it. Where none does, claude prints that and goes on. */
async function callTool(claude: Claude, tool: string, fields: Record<string, unknown>): Promise<void> {
  const { settings, servers, events, output } = claude
  const name = servers.offered(tool)
  if (name === undefined)
    return output.emit(events.text(`No MCP server offers ${tool}: nothing is reported.`))
  if (settings.taskId === undefined || settings.agentId === undefined)
    return output.emit(events.text('The prompt names no task id and agent id: nothing is reported.'))

  const use = toolUse(name, { task_id: settings.taskId, agent_id: settings.agentId, ...fields })
  await output.emit(events.toolUse(use))
  const { text, isError } = await servers.call(tool, use.input)
  await output.emit(events.toolResult(use, text, isError))
}
