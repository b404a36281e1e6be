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
  const failure = tool === undefined ? await failureOf(claude, run, env) : await callWith(claude, tool, args)
  if (failure !== undefined) claude.note('completion failed', { why: failure.slice(0, 300) })
}

/** A command that a signal ended did not fail: whoever cleans the agent up may end it while it waits for its answer. */
async function failureOf(
  claude: Claude,
  run: string | undefined,
  env: Record<string, string>,
): Promise<string | undefined> {
  if (run === undefined) return undefined
  const tool = await runBash(claude, inEnvironment(run, env), 'Report that the work is done')
  const code = await tool.ended
  return code > 0 && code < 128 ? `exit code ${code}: ${tool.printed ?? ''}` : undefined
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
  await callWith(claude, tool, { task_id: settings.taskId, agent_id: settings.agentId, ...fields })
}

/** Calls a tool. The text of an answer that is an error; undefined where the server was ended before it answered. */
async function callWith(
  claude: Claude,
  tool: string,
  input: Record<string, unknown>,
): Promise<string | undefined> {
  const { servers, events, output } = claude
  const name = servers.offered(tool)
  if (name === undefined) {
    await output.emit(events.text(`No MCP server offers ${tool}: nothing is reported.`))
    return `no MCP server of claude offers ${tool}`
  }
  const use = toolUse(name, input)
  await output.emit(events.toolUse(use))
  const { text, isError, isAnswer = true } = await servers.call(tool, use.input)
  await output.emit(events.toolResult(use, text, isError))
  return isError && isAnswer ? text : undefined
}
