import { CannotMeasureError } from '../errors.ts'
import { exitCodes } from '../report/exit-codes.ts'

/** The caller asked for something that does not exist. The message names what was expected. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** What the orchestrator could not begin with: a workspace that is no folder, or not to be written to. */
export class CannotServe extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/** Prints an error as one sentence and leaves with the exit code that fits it. */
export function fail(error: unknown): never {
  if (error instanceof UsageError || error instanceof CannotMeasureError || error instanceof CannotServe) {
    console.error(`leakrig: ${error.message}`)
    process.exit(error instanceof UsageError ? exitCodes.wrongUsage : exitCodes.inconclusive)
  }
  console.error(error)
  process.exit(exitCodes.inconclusive)
}
