import type { System } from '../definition/system.ts'
import { CannotMeasureError } from '../errors.ts'
import type { Sandbox, SandboxRights } from '../sandbox/sandbox.ts'
import { startSandbox } from '../sandbox/start.ts'
import { findConfig, readConfig } from '../systems/config-file.ts'
import { needsOf } from '../systems/needs-of.ts'
import { ownSystem } from '../systems/systems.ts'
import { sandboxKind, settings } from './settings.ts'

let configured: Promise<System | undefined> | undefined

/**
 * The system under test: the one that a command has provided, or else that of the leakrig.config.* in the current folder, or
 * our own.
 * @throws CannotMeasureError for a configuration with mistakes, or with several systems
 */
export async function chosenSystem(): Promise<System> {
  const { system } = settings()
  if (typeof system === 'object') return system
  if (system !== undefined) return ownSystem(system)
  configured ??= theConfigured()
  return (await configured) ?? ownSystem('hybrid')
}

async function theConfigured(): Promise<System | undefined> {
  const file = findConfig(process.cwd())
  if (file === undefined) return undefined
  const [first, ...others] = await readConfig(file)
  if (first && others.length === 0) return first
  throw new CannotMeasureError(
    `${file} defines ${others.length + 1} systems, and a suite tests one: provide its name in the test, or run leakrig scenarios --system NAME.`,
  )
}

/** Starts a sandbox of the chosen kind with all that the system under test needs. */
export async function startChosen(rights: SandboxRights = {}): Promise<Sandbox> {
  const { system, needs: provided } = settings()
  // A command has found the needs of the system already.
  const needs = system === undefined ? needsOf(await chosenSystem(), provided) : provided
  return startSandbox(await sandboxKind(needs), rights, needs)
}
