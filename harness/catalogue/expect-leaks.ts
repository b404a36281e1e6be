import { expect } from 'vitest'
import { CannotMeasureError } from '../errors.ts'
import type { Agent } from '../rig/agent.ts'
import { claudeEndsWithin } from '../rig/claude-end.ts'
import { findLostLines } from '../rig/lost-lines.ts'
import type { Finding } from '../verdict/verdict.ts'

/** A finding that shows an agent's leak: its kind, and a pattern for its description. */
export type Trace = [Finding['kind'], RegExp]

/** `true`: the leak outlives its agent when nobody cleans up. A sentence: it does not, and why. */
export type Outlives = true | string

/** Nothing ends by itself any more once claude is gone, so a second without a change is enough. */
const timing = { deadlineMs: 6_000, restMs: 1_000, samples: 3 }
/** A claude that gets SIGHUP takes up to 4.1 s. */
const claudeEndsWithinMs = 15_000

/**
 * Expects, against a system that does not clean up, that the cell leaks, and that the traces of its shape are among the
 * leaks and attributed to the agent. Where the table says that they end by themselves, they must not be among the leaks.
 */
export async function expectLeaks(agent: Agent, traces: Trace[], outlives: Outlives): Promise<void> {
  const { rig } = agent
  const verdict = await rig.settle(timing)
  await findLostLines(agent)
  const { result, leaks, collateral } = verdict
  expect(collateral.map(({ what, why }) => `${what}; ${why}`).join('\n')).toBe('')
  expect(result).toBe('leak')
  const own = leaks.filter(({ owner }) => owner?.agent === agent.id)
  const found = traces.filter(trace => own.some(leak => matches(leak, trace)))
  const expected = outlives === true ? traces : []
  expect(found, `${JSON.stringify(outlives)}; the leaks are ${own.map(show).join('\n')}`).toEqual(expected)
}

/** @throws CannotMeasureError when the agent's claude does not end */
export async function waitUntilClaudeEnded(agent: Agent): Promise<void> {
  if (await claudeEndsWithin(agent, claudeEndsWithinMs)) return
  throw new CannotMeasureError(`The claude of agent ${agent.id} did not end.`)
}

function matches({ kind, what, why }: Finding, [wanted, pattern]: Trace): boolean {
  return kind === wanted && pattern.test(`${what}; ${why}`)
}

function show({ kind, what, why }: Finding): string {
  return `${kind} ${what}; ${why}`
}
