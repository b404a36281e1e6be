/**
 * What a scenario imports. The folders below: `sandbox` (where it runs), `probe` (the rig's hand in there),
 * `snapshot`, `verdict`, `rig` (the fixtures and matchers), `report`, `systems`, `orchestrator`, `cli`.
 */
export { expect, inject } from 'vitest'
export type { ProcessIdentity } from './probe/api.ts'
export { findingsText } from './report/text.ts'
export type { Agent } from './rig/agent.ts'
export { archiveFaults, strayArchives } from './rig/archive.ts'
export { endsWell, setScene } from './rig/cell.ts'
export { Company } from './rig/company.ts'
export type { Directive } from './rig/directive.ts'
export { directiveText } from './rig/directive.ts'
export { type EndingName, endingNames, endings } from './rig/endings.ts'
export { test } from './rig/fixtures.ts'
export { testRuns } from './rig/fresh-rigs.ts'
export { claudeEnds, leaksAsSaid, type Outlives, type Trace } from './rig/proof.ts'
export type { Rig } from './rig/rig.ts'
export { CannotMeasureError } from './sandbox/sandbox.ts'
export { daemonCommand, defectiveSystem } from './systems/systems.ts'
export { poll } from './verdict/poll.ts'
export type { Patience } from './verdict/settle.ts'
