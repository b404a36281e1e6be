import fs from 'node:fs'
import { readAt } from '../platform/files/lines-from-end.ts'
import { openRegular } from '../platform/files/regular-file.ts'
import { within } from '../platform/files/within.ts'
import { type AgentRef, stderrFile } from './layout.ts'

const READ_BYTES = 4096
/** How much of it a reason quotes, in characters. */
const MOST_SHOWN = 400

/**
 * The end of what an agent's claude, or the shell that was to start it, printed as errors, in one line without control
 * characters; undefined when it printed nothing, and when that cannot be read. The agent can write anything there.
 */
export function errorOutput(ref: AgentRef): string | undefined {
  try {
    const fd = within(ref.workspace, stderrFile(ref), openRegular)
    try {
      const { size } = fs.fstatSync(fd)
      const text = readAt(fd, Math.max(0, size - READ_BYTES), READ_BYTES).toString('utf8')
      const line = text.replaceAll(/[\p{C}\s]+/gu, ' ').trim()
      return line.length > MOST_SHOWN ? `… ${line.slice(-MOST_SHOWN)}` : line || undefined
    } finally {
      fs.closeSync(fd)
    }
  } catch {
    return undefined
  }
}
