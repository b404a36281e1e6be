import type { Bystanders } from './bystanders.ts'
import { test } from './fixtures.ts'
import { leftOutBecause, type Need } from './needs.ts'
import type { Rig } from './rig.ts'
import { settings } from './settings.ts'

interface Fixtures {
  rig: Rig
  bystanders: Bystanders
  skip: (note: string) => never
}

/** A `test` of the harness, however it was extended. */
export type RigTest = (name: string, run: (fixtures: Fixtures) => unknown) => void

/**
 * `test` for scenarios that need something of the system under test. Where the system does not declare that, a scenario is
 * skipped with the reason, and is no pass.
 */
export function needing(needs: readonly Need[], base: RigTest = test): RigTest {
  const reason = leftOutBecause(settings().system, needs)
  if (reason === undefined) return base
  // Without the fixture `rig`, so that no sandbox is started.
  return name => base(name, ({ skip }) => skip(reason))
}

/** A test that says what it needs of the system under test (`needing`). */
export function scenario(name: string, needs: readonly Need[], run: (fixtures: Fixtures) => unknown): void {
  needing(needs)(name, run)
}
