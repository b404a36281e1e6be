/**
 * cleanup/ ends what an agent of a tmux-based orchestrator leaves behind, and touches nothing else.
 * It imports nothing of ours. What it guarantees, and which file reaches each guarantee, is in README.md.
 */

export { type Claimed, claimsFor } from './claims/claims-for.ts'
export { contain, type Launch } from './containment/contain.ts'
export { leanDaemon } from './daemon/lean.ts'
export { type DaemonOptions, runDaemon } from './daemon/run-daemon.ts'
export { CleanupError, type CleanupErrorCode, systemCode, messageOf } from './errors.ts'
export { findEnding } from './liveness/pending-end.ts'
export { type Health, isFresh, readHealth } from './metrics/health.ts'
export { measure } from './metrics/measure.ts'
export type { AgentRow, Measurement } from './metrics/measurement.ts'
export { Monitor, type MonitorOptions } from './metrics/monitor.ts'
export { becomeOwner } from './platform/become-owner.ts'
export { cwd } from './platform/cwd.ts'
export { realWorkspace } from './platform/files/real-path.ts'
export { openRegular } from './platform/files/regular-file.ts'
export { makeFolder, makeRoot, within } from './platform/files/within.ts'
export { startOf } from './platform/processes/table.ts'
export { findProgram, quote } from './platform/shell.ts'
export { type CleanUpOptions, cleanUp, GRACE_MS } from './reaper/clean-up.ts'
export type { CleanUpReport, Log, LogLine, Outcome } from './reaper/report.ts'
export { findPending, type Pending, resume } from './reaper/resume.ts'
export { spawnDetached } from './reaper/spawn-detached.ts'
export { addAgent, addTask, initRegistries } from './registry/create.ts'
export type {
  AgentEntry,
  CleanupRecord,
  GlobalRegistry,
  RecordedTmux,
  TaskRegistry,
} from './registry/entries.ts'
export { validateAgentId, validateTaskId } from './registry/ids.ts'
export { type Ending, recordIntent } from './registry/intent.ts'
export * as layout from './registry/layout.ts'
export { type AgentRef, agentMarker, MARKER } from './registry/layout.ts'
export { isTerminal } from './registry/lifecycle.ts'
export {
  changeGlobal,
  changeTask,
  listTasks,
  readAgent,
  readGlobalRegistry,
  readTaskRegistry,
} from './registry/registry.ts'
export { updateAgent } from './registry/update.ts'
export { applyPlan } from './retention/apply.ts'
export { type Clock, readClock } from './retention/clock.ts'
export { type Hold, holdRetention } from './retention/hold.ts'
export { type PlanOptions, planRetention } from './retention/plan.ts'
export type { Floor, PlannedFile, RetentionPlan, RetentionReport } from './retention/plan-types.ts'
export { type PolicyTexts, parsePolicy, type RetentionPolicy } from './retention/policy.ts'
export { policyOf } from './retention/policy-file.ts'
export { type Sweep, type SweepOptions, sweep } from './sweep/sweep.ts'
export { RECORD_FORMAT, recordOf } from './tmux/recorded.ts'
