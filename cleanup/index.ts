/**
 * cleanup/ ends what an agent of a tmux-based orchestrator leaves behind, and touches nothing else.
 * It imports nothing of ours. What it guarantees, and which file reaches each guarantee, is in README.md.
 */

export { type Claimed, claimsFor } from './claims/claims-for.ts'
export { type CleanUpOptions, cleanUp, GRACE_MS } from './cleaning/clean-up.ts'
export { type Ending, recordIntent } from './cleaning/intent.ts'
export { startOutside } from './cleaning/outside.ts'
export type { CleanUpReport, Log, LogLine, Outcome } from './cleaning/report.ts'
export { findPending, type Pending, resume } from './cleaning/resume.ts'
export { becomeOwner } from './cli/become-owner.ts'
export { here } from './cli/where.ts'
export { contain, type Launch } from './containment/contain.ts'
export { findProgram, quote } from './containment/shell.ts'
export { endingOf } from './daemon/ending-of.ts'
export { leanDaemon } from './daemon/lean.ts'
export { type DaemonOptions, runDaemon } from './daemon/run-daemon.ts'
export { CleanupError, type CleanupErrorCode, systemCode, words } from './errors.ts'
export { openRegular } from './files/regular-file.ts'
export { makeFolder, makeRoot, within } from './files/within.ts'
export { type Health, isFresh, readHealth } from './metrics/health.ts'
export { measure } from './metrics/measure.ts'
export type { AgentRow, Measurement } from './metrics/measurement.ts'
export { Monitor, type MonitorOptions } from './metrics/monitor.ts'
export { startOf } from './processes/table.ts'
export { applyPlan } from './retention/apply.ts'
export { type Clock, readClock } from './retention/clock.ts'
export { type Hold, holdRetention } from './retention/hold.ts'
export { type PlanOptions, planRetention } from './retention/plan.ts'
export type { Floor, PlannedFile, RetentionPlan, RetentionReport } from './retention/plan-types.ts'
export { type PolicyTexts, parsePolicy, type RetentionPolicy } from './retention/policy.ts'
export { policyOf } from './retention/policy-file.ts'
export { type Sweep, type SweepOptions, sweep } from './sweep/sweep.ts'
export { RECORD_FORMAT, recordOf } from './tmux/recorded.ts'
export { validateAgentId, validateTaskId } from './workspace/ids.ts'
export * as layout from './workspace/layout.ts'
export { type AgentRef, agentMarker, MARKER } from './workspace/layout.ts'
export { addAgent, addTask, initRegistries } from './workspace/new-registries.ts'
export { realWorkspace } from './workspace/real-path.ts'
export {
  changeGlobal,
  changeTask,
  listTasks,
  readAgent,
  readGlobalRegistry,
  readTaskRegistry,
} from './workspace/registry.ts'
export type {
  AgentEntry,
  CleanupRecord,
  GlobalRegistry,
  RecordedTmux,
  TaskRegistry,
} from './workspace/registry-types.ts'
export { isTerminal } from './workspace/status.ts'
export { updateAgent } from './workspace/update-agent.ts'
