/**
 * What an orchestrator that deploys agents needs beside index.ts: the workspace's registries and files, the marker, the
 * record of the agent's place in tmux, containment, and the start of a daemon.
 */

export { contain } from './containment/contain.ts'
export type { Launch } from './containment/launch.ts'
export { leanDaemon } from './daemon/lean.ts'
export { messageOf, systemCode } from './errors.ts'
export { findEnding } from './liveness/pending-end.ts'
export { readDaemon } from './metrics/health.ts'
export { becomeOwner } from './platform/become-owner.ts'
export { cwd } from './platform/cwd.ts'
export { openRegular } from './platform/files/regular-file.ts'
export { makeFolder, makeRoot, within } from './platform/files/within.ts'
export { MARKER } from './platform/processes/environment.ts'
export { findProgram, quote } from './platform/shell.ts'
export { addAgent, addTask, initRegistries } from './registry/create.ts'
export type { AgentEntry, RecordedTmux, TaskRegistry } from './registry/entries.ts'
export { validateTaskId } from './registry/ids.ts'
export * as layout from './registry/layout.ts'
export { type AgentRef, agentMarker } from './registry/layout.ts'
export { isTerminal } from './registry/lifecycle.ts'
export { readTaskRegistry } from './registry/registry.ts'
export { updateAgent } from './registry/update.ts'
export { isSameWorkspace } from './registry/workspace-paths.ts'
export { thisWorld } from './registry/world.ts'
export { RECORD_FORMAT, recordOf } from './tmux/recorded.ts'
