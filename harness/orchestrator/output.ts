import { type AgentRef, layout } from '../../cleanup/orchestrator.ts'
import { readEnd } from './files.ts'

/** How much of a log is read, from its end. */
const READ_BYTES = 1 << 20

/** The last lines of an agent's log, and a sentence where there are fewer than were asked for because of its length. */
export interface Output {
  output: string[]
  output_cut?: string
}

/** Reads them from the log, or from the archive once it lies there; none where it lies in neither. */
export function lastLines(agent: AgentRef, lines: number): Output {
  const log = layout.streamLog(agent)
  const end =
    readEnd(agent.workspace, log, READ_BYTES) ??
    readEnd(agent.workspace, layout.archived(agent, log), READ_BYTES)
  if (!end) return { output: [] }
  // The first line of what was cut off begins somewhere in its middle.
  const whole = end.isCut ? end.text.slice(firstLineEnd(end.text)) : end.text
  const found = whole === '' && end.isCut ? [] : whole.trimEnd().split('\n')
  const output = found.slice(-lines)
  if (!end.isCut || output.length === lines) return { output }
  return {
    output,
    output_cut: `Only the last ${READ_BYTES} bytes of the log were read, with ${output.length} whole lines; read ${log} for more.`,
  }
}

/** Where the second line begins, or the end where there is none. */
function firstLineEnd(text: string): number {
  const at = text.indexOf('\n')
  return at === -1 ? text.length : at + 1
}
