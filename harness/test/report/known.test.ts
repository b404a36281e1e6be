import { expect, test } from 'vitest'
import {
  entriesNotRun,
  entriesWithRoom,
  fixedEntries,
  judge,
  unjudged,
  updatedKnown,
} from '../../report/known.ts'
import type { KnownLeak } from '../../report/known-leak.ts'
import { beginning, makeReport } from '../../report/report.ts'
import type { ScenarioResult } from '../../report/scenario-result.ts'
import type { Mechanism } from '../../verdict/mechanisms.ts'
import type { Finding, Verdict } from '../../verdict/verdict.ts'
import { aRun } from '../support/reports.ts'

const finding = (mechanism: Mechanism, id: string) => ({ mechanism, id, verdict: 'leak' }) as Finding

function red(leaks: Finding[], more: Partial<ScenarioResult> = {}): ScenarioResult {
  const verdict = { result: 'leak', leaks, collateral: [] } as unknown as Verdict
  const result = { file: 'f', name: 'a kill', system: 'mine', verdict: 'leak', durationMs: 1 } as const
  return { ...result, verdicts: [verdict], leftOut: [], unmet: [], errors: [], ...more }
}

const green = (more: Partial<ScenarioResult> = {}) => red([], { verdict: 'pass', ...more })

const known = (more: Partial<KnownLeak> = {}): KnownLeak => ({
  system: 'mine',
  scenario: 'a kill',
  mechanism: 'not-removed',
  count: 2,
  reason: 'issue 12',
  expires: '2027-01-31',
  ...more,
})
const today = '2027-01-31'
const two = [finding('not-removed', 'a'), finding('not-removed', 'b')]

test('a scenario whose findings are all known is neither red nor a pass', () => {
  expect(judge(red(two), [known()], today)).toMatchObject({ verdict: 'known', known: [known()] })
  expect(judge(red(two.slice(1)), [known()], today).verdict).toBe('known')
  // The same finding of two verdicts counts once.
  const twice = red(two)
  expect(
    judge({ ...twice, verdicts: [...twice.verdicts, ...twice.verdicts] }, [known()], today).verdict,
  ).toBe('known')
})

test.each([
  ['of another scenario', [known({ scenario: 'a crash' })], undefined],
  ['of another system', [known({ system: 'other' })], undefined],
  ['of another mechanism', [known({ mechanism: 'orphaned' })], 'new: 2 not-removed'],
  ['that are fewer', [known({ count: 1 })], 'more: 2 not-removed, of which 1 is known'],
  [
    'that have expired',
    [known({ expires: '2027-01-30' })],
    'expired: not-removed was known until 2027-01-30',
  ],
])('known leaks %s leave a scenario red', (_, list, said) => {
  const judged = judge(red(two), list, today)
  expect(judged.verdict).toBe('leak')
  if (said) expect(judged.notKnown).toEqual([expect.stringContaining(said)])
})

test('an expectation that is not met has to be known too', () => {
  const result = red(two, { unmet: ['kill failed'] })
  expect(judge(result, [known()], today).notKnown).toEqual([expect.stringContaining('new: 1 expectation')])
  const both = [known(), known({ mechanism: 'expectation', count: 1 })]
  expect(judge(result, both, today).verdict).toBe('known')
})

test('what could not be measured is never known', () => {
  const unsure = red(two, { verdict: 'inconclusive' })
  expect(judge(unsure, [known()], today).verdict).toBe('inconclusive')
  expect(fixedEntries([unsure, green({ verdict: 'skipped' })], [known()])).toEqual([])
})

test('what is fixed has to be taken out', () => {
  expect(fixedEntries([green()], [known(), known({ scenario: 'a crash' })])).toEqual([
    'not-removed of "a kill", system mine',
  ])
  const report = (fixed: string[]) =>
    makeReport(
      {
        beginning: beginning(),
        run: aRun(),
        sandbox: { kind: 'namespace', why: '' },
        interrupted: undefined,
        fixed,
      },
      { results: [green()], errors: [] },
    )
  expect(report(['x'])).toMatchObject({ exitCode: 1, fixed: ['x'] })
  expect(report([])).toMatchObject({ exitCode: 0 })
})

test('entries of scenarios that did not run are found by the systems that were tested', () => {
  const list = [known(), known({ scenario: 'renamed' }), known({ scenario: 'renamed', system: 'other' })]
  expect(entriesNotRun([green()], list, ['mine'])).toEqual([known({ scenario: 'renamed' })])
  // Left out with a reason is not gone.
  expect(entriesNotRun([green({ name: 'renamed', verdict: 'skipped' })], list.slice(1), ['mine'])).toEqual([])
})

test('what is known can be judged again', () => {
  const judged = judge(red(two), [known()], today)
  expect(unjudged(judged)).toEqual(red(two))
  expect(unjudged(judge(red(two), [known({ count: 1 })], today))).toEqual(red(two))
})

test('a run with nothing but known leaks passes, and a system that only skips does not', () => {
  const exitCode = (results: ScenarioResult[]) =>
    makeReport(
      {
        beginning: beginning(),
        run: aRun(),
        sandbox: { kind: 'namespace', why: '' },
        interrupted: undefined,
      },
      { results, errors: [] },
    ).exitCode
  expect(exitCode([judge(red(two), [known()], today)])).toBe(0)
  expect(exitCode([green(), green({ system: 'other', verdict: 'skipped' })])).toBe(3)
})

test('a leak that is found in some runs only is no failure where it is not found, and stays in the list', () => {
  const list = [known({ sometimes: true }), known({ scenario: 'a crash' })]
  const results = [green(), green({ name: 'a crash' })]
  expect(fixedEntries(results, list)).toEqual(['not-removed of "a crash", system mine'])
  expect(updatedKnown(list, results, new Date())).toEqual([known({ sometimes: true })])
})

test('an update raises a count and never lowers one, because counts vary; it says where there is room', () => {
  const now = new Date('2027-01-31T23:00:00Z')
  const updated = updatedKnown([known({ count: 1 })], [red(two)], now)
  expect(updated).toEqual([known({ count: 2 })])
  expect(entriesWithRoom(updated, [red(two)])).toEqual([])
  expect(updatedKnown(updated, [red(two.slice(1))], now)).toEqual(updated)
  expect(entriesWithRoom(updated, [red(two.slice(1))])).toEqual(updated)
  expect(entriesWithRoom(updated, [green()])).toEqual([])
})

test('an update keeps reasons, days and what did not run, takes out what is fixed, and adds what is new for 90 days', () => {
  const list = [
    known({ count: 5 }),
    known({ mechanism: 'orphaned' }),
    known({ scenario: 'not run', reason: 'later' }),
    known({ scenario: 'unsure' }),
  ]
  const results = [
    red([...two, finding('daemonized', 'c')]),
    red([], { name: 'unsure', verdict: 'inconclusive' }),
  ]
  const now = new Date('2027-01-31T23:00:00Z')
  expect(updatedKnown(list, results, now)).toEqual([
    known({ mechanism: 'daemonized', count: 1, reason: 'not looked at yet', expires: '2027-05-01' }),
    known({ count: 5 }),
    known({ scenario: 'not run', reason: 'later' }),
    known({ scenario: 'unsure' }),
  ])
})
