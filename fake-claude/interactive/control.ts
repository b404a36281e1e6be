import { signalIfThere, tree } from '../process/children/process-tree.ts'
import type { Claude } from '../process/claude.ts'
import { end } from '../process/ending/ending.ts'
import type { ControlRequest } from './stream-input.ts'

/** Escape, or a request to interrupt: the commands in the foreground get TERM, and the turn is over when they have ended. */
export function interrupt({ bash, events, output }: Claude): void {
  const tools = [...bash.running].filter(tool => !tool.background)
  for (const { pid } of tools) for (const one of tree(pid)) signalIfThere(one, 'SIGTERM')
  if (tools.length > 0) void output.lastWord(events.interrupted())
}

/** Answers the Agent SDK. After `interrupt`, claude exits with 1 (measured during a Bash tool). */
export function answerControl(claude: Claude, { request_id, request }: ControlRequest): void {
  const { output } = claude
  const response =
    request.subtype === 'initialize' ? { commands: [], output_style: 'default', models: [] } : {}
  const answer = { type: 'control_response', response: { subtype: 'success', request_id, response } }
  void output.write(`${JSON.stringify(answer)}\n`)
  if (request.subtype !== 'interrupt') return
  const { endings } = claude.profile
  claude.profile = { ...claude.profile, endings: { ...endings, SIGINT: { ...endings.SIGINT, code: 1 } } }
  void end(claude, 'SIGINT')
}
