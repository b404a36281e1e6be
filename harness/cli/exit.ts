import { CannotMeasureError } from '../errors.ts'
import { exitCodes } from '../report/exit-codes.ts'
import { WrongNeed } from '../sandbox/needs.ts'
import { printProblem, printUnforeseen } from '../terminal.ts'

/** An option or argument is wrong. The message says what was expected. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** The orchestrator could not start, such as for a workspace that is not a folder or not writable. */
export class CannotServe extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/** Prints an error, in one sentence where it has one, and exits with the code that fits it. */
export function fail(error: unknown): never {
  if (error instanceof UsageError || error instanceof CannotMeasureError || error instanceof CannotServe) {
    printProblem(error.message)
    const isUsage = error instanceof UsageError || error instanceof WrongNeed
    process.exit(isUsage ? exitCodes.wrongUsage : exitCodes.inconclusive)
  }
  printUnforeseen(error)
  process.exit(exitCodes.inconclusive)
}
