import { type AgentRef, layout } from '../../cleanup/orchestrator.ts'
import { readEnd } from './files.ts'

/** How many bytes at the end of a log are read. */
const READ_BYTES = 1 << 20

/** The last lines of an agent's log. `output_cut` says so when the limit on bytes left fewer lines than requested. */
export interface Output {
  output: string[]
  output_cut?: string
}

/** Reads the log, or its archive; no lines where neither exists. */
export function lastLines(agent: AgentRef, lines: number): Output {
  const log = layout.streamLog(agent)
  const end =
    readEnd(agent.workspace, log, READ_BYTES) ??
    readEnd(agent.workspace, layout.archived(agent, log), READ_BYTES)
  if (!end) return { output: [] }
  // The text may begin in the middle of a line.
  const whole = end.isCut ? end.text.slice(firstLineEnd(end.text)) : end.text
  const found = whole === '' && end.isCut ? [] : whole.trimEnd().split('\n')
  const output = found.slice(-lines)
  if (!end.isCut || output.length === lines) return { output }
  return {
    output,
    output_cut: `Only the last ${READ_BYTES} bytes of the log were read, with ${output.length} whole lines; read ${log} for more.`,
  }
}

/** Where the second line begins, or the end of the text. */
function firstLineEnd(text: string): number {
  const at = text.indexOf('\n')
  return at === -1 ? text.length : at + 1
}
