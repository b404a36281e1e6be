/**
 * What a scenario imports. The folders below: `sandbox` (where it runs), `probe` (the rig's hand in there),
 * `snapshot`, `verdict`, `rig` (the fixtures and matchers), `report`, `systems`, `orchestrator`, `cli`.
 */
export { expect } from 'vitest'
export { test } from './rig/fixtures.ts'
