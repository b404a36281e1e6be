import { closeSync, constants, fstatSync } from 'node:fs'
import {
  type AgentLog,
  type AgentRef,
  linesFromEnd,
  systemCode,
  withAgentLogs,
} from '../../cleanup/orchestrator.ts'
import { openFile } from './files.ts'

/** How many bytes at the end of a log are read. */
const READ_BYTES = 1 << 20
/** How often a log is read again from its beginning that is moved meanwhile, by a cleanup or a rotation. */
const TRIES = 3

/** The last lines of an agent's log. `output_cut` says so when more lines were requested and are there, or may be. */
export interface Output {
  output: string[]
  output_cut?: string
}

/** Reads the lines from every file that holds them: the log, its rotated parts, its archive, and a deleted log. */
export async function lastLines(agent: AgentRef, lines: number, tries = TRIES): Promise<Output> {
  try {
    return await withAgentLogs(agent, (logs, problem) => {
      const output: string[] = []
      const missing = problem && `Lines of a log that was deleted or moved away may be missing: ${problem}`
      const cut = [readEnd(agent.workspace, logs, lines, output), missing].filter(Boolean).join(' ')
      return { output: output.reverse(), ...(cut && { output_cut: cut }) }
    })
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || tries === 1) throw error
    return lastLines(agent, lines, tries - 1)
  }
}

/** Collects the last lines of several files as if they were one, the last line first. Returns why some were not read. */
function readEnd(workspace: string, logs: AgentLog[], most: number, output: string[]): string | undefined {
  let left = READ_BYTES
  for (const log of logs) {
    if (log.isCompressed) return `Older lines are in ${log.file}, which is compressed and was not read.`
    const fd = log.fd ?? openFile(workspace, log.file, constants.O_RDONLY)
    try {
      for (const line of linesFromEnd(fd, { listBytes: left, mostBytes: left }))
        if (output.push(line.toString()) === most) return undefined
      left -= fstatSync(fd).size
    } finally {
      if (log.fd === undefined) closeSync(fd)
    }
    if (left < 0)
      return `Only the last ${READ_BYTES} bytes of the log were read, with ${output.length} whole lines; read ${log.file} for more.`
  }
  return undefined
}
