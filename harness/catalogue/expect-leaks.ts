import { expect } from 'vitest'
import { CannotMeasureError } from '../errors.ts'
import { poll } from '../poll.ts'
import type { Agent } from '../rig/agent.ts'
import type { ResourceKind } from '../snapshot/snapshot.ts'
import type { Finding } from '../verdict/verdict.ts'

/** What of an agent a finding shows, by its kind and a part of its description. */
export type Trace = [ResourceKind, RegExp]

/** `true`: it outlives its agent where nobody cleans up. A sentence: it does not, and why. */
export type Outlives = true | string

/** Nobody ends anything any more once claude is gone, so that a second without a change is enough. */
const timing = { deadlineMs: 6_000, restMs: 1_000, samples: 3 }
/** A claude that is hung up takes up to 4.1 s. */
const claudeEndsWithinMs = 15_000

/**
 * The proof of a cell, against a system that does not clean up: the cell is red, the traces of its shape are among
 * the leaks and known to be the agent's; or they are not there, where the table says that they end by themselves.
 */
export async function expectLeaks(agent: Agent, traces: Trace[], outlives: Outlives): Promise<void> {
  const { rig } = agent
  const { result, leaks, collateral } = await rig.settle(timing)
  expect(collateral.map(({ what, mechanism }) => `${what}; ${mechanism}`).join('\n')).toBe('')
  expect(result).toBe('leak')
  const own = leaks.filter(({ owner }) => owner?.agent === agent.id)
  const found = traces.filter(trace => own.some(leak => matches(leak, trace)))
  const said = outlives === true ? traces : []
  expect(found, `${JSON.stringify(outlives)}; the leaks are ${own.map(show).join('\n')}`).toEqual(said)
}

/** @throws CannotMeasureError when the agent's claude does not end. */
export async function waitUntilClaudeEnded(agent: Agent): Promise<void> {
  const gone = await poll(claudeEndsWithinMs, async () => {
    const all = await agent.processes()
    return !all.some(({ comm, state }) => comm === 'claude' && state !== 'Z') || undefined
  })
  if (!gone) throw new CannotMeasureError(`The claude of agent ${agent.id} did not end.`)
}

function matches({ kind, what, mechanism }: Finding, [wanted, pattern]: Trace): boolean {
  return kind === wanted && pattern.test(`${what}; ${mechanism}`)
}

function show({ kind, what, mechanism }: Finding): string {
  return `${kind} ${what}; ${mechanism}`
}
