/**
 * cleanup/ ends what an agent of a tmux-based orchestrator leaves behind, and touches nothing else. It imports nothing
 * of the other folders. docs/cleanup.md lists its guarantees and the files that reach them; an orchestrator that deploys
 * agents finds the rest of what it needs in orchestrator.ts.
 */

export { claimsFor } from './claims/claims-for.ts'
export { type DaemonOptions, runDaemon } from './daemon/run-daemon.ts'
export { CleanupError } from './errors.ts'
export { measure } from './metrics/measure.ts'
export type { Measurement } from './metrics/measurement.ts'
export { type CleanUpOptions, cleanUp } from './reaper/clean-up.ts'
export type { CleanUpReport } from './reaper/report.ts'
export { recordIntent } from './registry/intent.ts'
export type { AgentRef } from './registry/layout.ts'
export { planRetention } from './retention/plan.ts'
export { type Sweep, type SweepOptions, sweep } from './sweep/sweep.ts'
