import { CleanupError, messageOf } from '../errors.ts'

/** What the cleanup's commands say with their exit code. */
export const exitCodes = {
  /** Nothing is left, or it was only looked. */
  done: 0,
  /** Something that was to be cleaned up is left, or an entry was refused. */
  left: 1,
  wrongUsage: 2,
  /** Something could not be read or asked; what could was done. */
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

/** Runs a command, and says what it throws in one sentence. */
export async function run(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command()
  } catch (error) {
    if (!(error instanceof CleanupError)) throw error
    console.error(`leakrig: ${messageOf(error)}`)
    process.exitCode = WRONG_USAGE.has(error.code) ? exitCodes.wrongUsage : exitCodes.uncertain
  }
}
