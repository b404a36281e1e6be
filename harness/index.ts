/**
 * What a scenario imports. The folders below: `sandbox` (where it runs), `probe` (the rig's hand in there),
 * `snapshot`, `verdict`, `rig` (the fixtures and matchers), `report`, `systems`, `orchestrator`, `cli`.
 */
export { expect } from 'vitest'
export type { ProcessIdentity } from './probe/api.ts'
export { findingsText } from './report/text.ts'
export type { Agent } from './rig/agent.ts'
export { archiveFaults, strayArchives } from './rig/archive.ts'
export { Company } from './rig/company.ts'
export { directiveText } from './rig/directive.ts'
export { test } from './rig/fixtures.ts'
export { testRuns } from './rig/fresh-rigs.ts'
export type { Rig } from './rig/rig.ts'
export { CannotMeasureError } from './sandbox/sandbox.ts'
export { daemonCommand, defectiveSystem } from './systems/systems.ts'
export { poll } from './verdict/poll.ts'
export type { Patience } from './verdict/settle.ts'
