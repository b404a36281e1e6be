import { CleanupError, messageOf } from '../errors.ts'
import { limitMet } from '../platform/limits.ts'
import { printProblem } from './output.ts'

/** The exit codes of every command but the daemon. */
export const exitCodes = {
  /** Everything is clean, or the command only showed something. */
  done: 0,
  /** Something that the command was to clean up is left, or an entry was refused. */
  left: 1,
  wrongUsage: 2,
  /** Something could not be read or queried; the command did the rest. */
  uncertain: 3,
} as const

const WRONG_USAGE: ReadonlySet<string> = new Set([
  'bad-id',
  'bad-argument',
  'no-workspace',
  'not-the-owner',
  'unknown-agent',
  'unknown-task',
])

/** Runs a command, sets its exit code, and prints a CleanupError as one sentence. Other errors pass through. */
export async function run(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command()
  } catch (error) {
    const limit = error instanceof CleanupError ? undefined : limitMet(error)
    if (!(error instanceof CleanupError) && limit === undefined) throw error
    printProblem(
      limit === undefined
        ? messageOf(error)
        : `The command could not go on: ${limit}. Nothing is lost; raise the limit or end what uses it up, then run it again.`,
    )
    const isUsage = error instanceof CleanupError && WRONG_USAGE.has(error.code)
    process.exitCode = isUsage ? exitCodes.wrongUsage : exitCodes.uncertain
  }
}
