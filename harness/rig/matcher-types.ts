import type { Ending } from '../definition/definition.ts'

/** What the matchers of agents need to know about one; every agent of a rig is more. */
export interface MatchedAgent {
  readonly id: string
}

declare module 'vitest' {
  interface Matchers<R, T> {
    /** Several snapshots in a row show no leak and no collateral, and no line of the stream log of `ended` is lost. */
    toReturnToBaseline(ended?: MatchedAgent): Promise<R>
    /** The archive of each of these agents is complete to its last event, and there is no other archive. */
    toHaveArchivedLogs(): Promise<R>
    /** In all registries the agent has the status for this ending, and a reason that matches. */
    toBeRegisteredAs(ending: Ending, reason?: RegExp): Promise<R>
  }
}
