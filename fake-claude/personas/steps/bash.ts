import { type BashTool, nested } from '../../process/children/bash-tools.ts'
import type { Claude } from '../../process/claude.ts'

const aDay = 'sleep 86400'

export async function foregroundBash(claude: Claude): Promise<void> {
  const { bash, depth } = claude.settings
  for (let i = 0; i < bash; i += 1) await runBash(claude, nested('true', depth), 'Check the work')
}

/** Runs one command to its end, with an event before and after it. */
export async function runBash(claude: Claude, command: string, description: string): Promise<BashTool> {
  const { bash, events, output, hooks } = claude
  await hooks.run('PreToolUse')
  const tool = bash.start(command, description)
  await output.emit(events.toolUse(tool.use))
  const code = await tool.ended
  const printed = tool.printed ?? ''
  const detail = { stdout: printed, stderr: '', interrupted: false, isImage: false }
  await output.emit(events.toolResult(tool.use, printed, code !== 0, detail))
  return tool
}

/** Starts commands that run until somebody ends them, in the foreground. */
export async function longForegroundBash(claude: Claude): Promise<void> {
  const { bash, events, output, settings, hooks } = claude
  if (settings.bash > 0) await hooks.run('PreToolUse')
  const tools = many(settings.bash, () => bash.start(nested(aDay, settings.depth), 'Run the long check'))
  for (const tool of tools) await output.emit(events.toolUse(tool.use))
  for (const tool of tools) {
    await output.emit(taskStarted(claude, tool))
    claude.note('foreground', { task: tool.taskId })
  }
}

/** Starts commands in the background. claude does not exit while they run. */
export async function backgroundBash(claude: Claude): Promise<void> {
  const { bash, events, output, settings, hooks } = claude
  if (settings.bash > 0) await hooks.run('PreToolUse')
  const command = nested(`sleep ${settings.taskSeconds}`, settings.depth)
  for (const tool of many(settings.bash, () => bash.start(command, 'Serve the preview', true))) {
    const answer = `Command running in background with ID: ${tool.taskId}. Output is written to: ${tool.output}`
    await output.emit(events.toolUse(tool.use))
    await output.emit(taskStarted(claude, tool))
    await output.emit(events.toolResult(tool.use, answer, false, { backgroundTaskId: tool.taskId }))
  }
}

function taskStarted({ events }: Claude, { taskId, use, description, background }: BashTool) {
  return events.system('task_started', {
    task_id: taskId,
    tool_use_id: use.id,
    description,
    is_backgrounded: background,
    task_type: 'local_bash',
  })
}

function many<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make)
}
