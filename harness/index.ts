/**
 * What a scenario imports. The folders below: `sandbox` (where it runs), `probe` (the rig's hand in there),
 * `snapshot`, `verdict`, `rig` (the fixtures and matchers), `report`, `systems`, `orchestrator`, `cli`.
 */
export { expect, inject } from 'vitest'
export { endsWell, setScene } from './rig/cell.ts'
export type { Directive } from './rig/directive.ts'
export { type EndingName, endingNames, endings } from './rig/endings.ts'
export { test } from './rig/fixtures.ts'
export { claudeEnds, leaksAsSaid, type Outlives, type Trace } from './rig/proof.ts'
