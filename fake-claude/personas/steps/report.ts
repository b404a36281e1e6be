import { readFileSync } from 'node:fs'
import { quoted } from '../../process/children/bash-tools.ts'
import type { Claude } from '../../process/claude.ts'
import { toolUse } from '../../process/output/events.ts'
import { runBash } from './bash.ts'

export function reportWorking(claude: Claude): Promise<void> {
  return callTool(claude, 'update_agent_progress', {
    status: 'working',
    message: 'Working on it',
    progress: 30,
  })
}

/** In the way that the rig has written into the file of the directive's `completion`, or else to the report's system. */
export async function reportCompleted(claude: Claude): Promise<void> {
  const { completion } = claude.settings
  if (completion === undefined)
    return callTool(claude, 'update_agent_progress', {
      status: 'completed',
      message: 'All done',
      progress: 100,
    })
  const { tool, args, run, env } = JSON.parse(readFileSync(completion, 'utf8'))
  claude.note('completion', { tool, run })
  if (tool !== undefined) return callWith(claude, tool, args)
  if (run !== undefined) await runBash(claude, inEnvironment(run, env), 'Report that the work is done')
}

function inEnvironment(command: string, variables: Record<string, string>): string {
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}`)
  return [...exports, command].join('\n')
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
  const { settings, events, output } = claude
  if (settings.taskId === undefined || settings.agentId === undefined)
    return output.emit(events.text('The prompt names no task id and agent id: nothing is reported.'))
  return callWith(claude, tool, { task_id: settings.taskId, agent_id: settings.agentId, ...fields })
}

async function callWith(claude: Claude, tool: string, input: Record<string, unknown>): Promise<void> {
  const { servers, events, output } = claude
  const name = servers.offered(tool)
  if (name === undefined)
    return output.emit(events.text(`No MCP server offers ${tool}: nothing is reported.`))
  const use = toolUse(name, input)
  await output.emit(events.toolUse(use))
  const { text, isError } = await servers.call(tool, use.input)
  await output.emit(events.toolResult(use, text, isError))
}
