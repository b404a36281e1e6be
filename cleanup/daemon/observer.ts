import type { Log } from '../log.ts'
import type { CleanUpReport } from '../reaper/report.ts'

/** Who is told what a daemon does: its log, and whoever counts. */
export interface Observer {
  log: Log
  cleaned(report: CleanUpReport): void
  /** A cleanup threw instead of reporting. */
  failed(): void
  massDeath(): void
  /** Something is wrong, in a sentence, or with undefined no longer. `what` names the thing. */
  degraded(what: string, why: string | undefined): void
}
