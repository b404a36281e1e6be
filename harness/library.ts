/**
 * `leakrig/test`: what a scenario in somebody's own Vitest suite imports. The types say only what such a scenario needs, so
 * that the rest of the harness can change; harness/test/project/library.test.ts holds the rig to them.
 */
import { type TestAPI, vi } from 'vitest'
import type { Directive } from './rig/directive.ts'
import { test as rigTest } from './rig/fixtures.ts'
import './rig/matcher-types.ts'
import type { RigSettings } from './rig/rig-settings.ts'

export { expect } from 'vitest'
export type { Directive, RigSettings }

/** One system under test in a sandbox of its own. */
export interface Rig {
  /** Deploys an agent and waits until all that it consists of was seen running. */
  deploy(options: DeployOptions): Promise<Agent>
  /** Deploys an agent without waiting until it runs. */
  launch(options: DeployOptions): Promise<Agent>
  /** Starts a process that belongs to no agent and has to be there afterwards. */
  plant(command: string[], env?: Record<string, string>): Promise<unknown>
}

/** A persona of the fake claude with its parameters, and what the system is given. */
export interface DeployOptions extends Directive {
  /** The type of agent, with which its id begins. */
  type?: string
  /** What the prompt says besides the directive. */
  text?: string
}

/** One deployed agent, and the ways in which it can end. */
export interface Agent {
  readonly id: string
  /** The agent reports `completed` by itself. */
  reportsCompleted(): Promise<void>
  /** It completes as the system declares: it reports that, or its claude exits. The persona `exits` can do both. */
  completes(): Promise<void>
  /** Somebody else reports `completed` for it. */
  isReportedCompleted(): Promise<unknown>
  /** Its persona goes on to its end. */
  comesToItsEnd(): Promise<void>
  /** Its persona `crashes` does so. */
  crashesByItself(): Promise<void>
  /** Somebody asks the system to kill it. */
  isKilled(reason?: string): Promise<unknown>
  /** SIGKILL for claude itself. */
  losesItsClaude(): Promise<void>
  /** SIGKILL for the process of its pane. */
  losesItsPaneProcess(): Promise<void>
  /** Somebody else ends its tmux session. */
  losesItsSession(): Promise<void>
  /** SIGKILL for the tmux server that it lives in. */
  losesItsTmuxServer(): Promise<void>
  /** It goes on working while others end, and has to be there afterwards. */
  stays(): Promise<void>
}

/** Innocent resources beside the agents, which have to be there afterwards. */
export interface Bystanders {
  /** A user's own tmux session. */
  tmuxSession(name: string, command?: string[]): Promise<void>
  /** A user's own claude at work, in a tmux session of the user's. */
  claude(session: string): Promise<void>
}

export interface Fixtures {
  rig: Rig
  bystanders: Bystanders
}

/** Vitest's `test` with a rig and its bystanders. */
export const test = rigTest as unknown as TestAPI<Fixtures>

/** In ms. A scenario takes seconds, and more on a busy machine; the suite's own limit is often 5 s. */
const limitMs = 600_000

vi.setConfig({ testTimeout: limitMs, hookTimeout: limitMs })
