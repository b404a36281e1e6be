import fs from 'node:fs'
import { isAbsolute } from 'node:path'
import { pid } from 'node:process'
import { attempt } from '../errors.ts'
import { type Log, logLevelOf } from '../log.ts'
import { openRegular } from '../platform/files/regular-file.ts'
import { ownUid } from '../platform/files/trust.ts'
import { printableJson } from '../platform/one-line.ts'

/** Names a file, by an absolute path: every cleanup appends its events to it, also one by a call or that was handed over. */
export const CLEANUP_LOG = 'LEAKRIG_CLEANUP_LOG'

/** Whose cleanup it is. */
export type Cleaner = 'call' | 'daemon' | 'hand-over'

const { O_APPEND, O_CREAT, O_WRONLY } = fs.constants

/** Logs to `log`, and to the file of the environment. A file that takes no more stops no cleanup. */
export function withCleanupLog(log: Log, by: Cleaner): Log {
  const file = process.env[CLEANUP_LOG]
  if (file === undefined || !isAbsolute(file)) return log
  return line => {
    const { event, ...facts } = line
    const time = new Date().toISOString()
    attempt(
      () => append(file, { time, level: logLevelOf(event), event, by, cleaner: pid, ...facts }),
      () => {},
    )
    log(line)
  }
}

/** Opened anew for each line: whoever rotates it needs to tell nobody. */
function append(file: string, line: object): void {
  const fd = openRegular(file, ownUid(), O_WRONLY | O_APPEND | O_CREAT)
  try {
    fs.writeSync(fd, `${printableJson(line)}\n`)
  } finally {
    fs.closeSync(fd)
  }
}
