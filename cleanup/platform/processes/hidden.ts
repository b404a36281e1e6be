import { CleanupError } from '../../errors.ts'

/** An error that says that the process table cannot be relied on: what is not seen must not be taken for gone. */
export function processesHidden(why: string, cause?: unknown): CleanupError {
  return new CleanupError(
    'processes-hidden',
    `The process table cannot be relied on here: ${why}. Nothing was ended or deleted on the strength of it; mount /proc without hidepid, or run as a user who sees all processes.`,
    { cause },
  )
}
