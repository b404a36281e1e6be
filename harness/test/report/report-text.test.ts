import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { TestCase } from 'vitest/node'
import { projectRoot } from '../../../bin/programs.ts'
import type { Interruption } from '../../report/exit-codes.ts'
import { beginning, makeReport } from '../../report/report.ts'
import { ScenarioReporter } from '../../report/reporter.ts'
import { scenarioResult } from '../../report/scenario-result.ts'
import { summaryText } from '../../report/summary.ts'
import { keep } from '../../rig/artefacts.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Verdict } from '../../verdict/verdict.ts'
import { aRun } from '../support/reports.ts'

const verdict = (result: Verdict['result']) =>
  ({
    result,
    leaks: [],
    collateral: [],
    kept: [],
    ignored: [],
    notes: [],
    msToBaseline: 1,
  }) as unknown as Verdict

/** Vitest's result of a test that has passed or failed with this verdict. */
const testCase = (result: Verdict['result'], record = {}): TestCase =>
  ({
    fullName: 'a scenario',
    module: { moduleId: join(projectRoot, 'scenarios/a.test.ts') },
    meta: () => ({ leakrig: { system: 'none', verdicts: [verdict(result)], unmet: [], ...record } }),
    diagnostic: () => ({ duration: 1 }),
    result: () => ({ state: result === 'pass' ? 'passed' : 'failed', errors: [] }),
  }) as unknown as TestCase

const report = (tests: TestCase[], interrupted?: Interruption) =>
  makeReport(
    { beginning: beginning(), run: aRun(), sandbox: { kind: 'namespace', why: '' }, interrupted },
    { results: tests.map(one => scenarioResult(one, 'none')), errors: [] },
  )

test('files that cannot be copied out are reported on standard error and change no verdict', async () => {
  const record = await keep({} as Rig, 'x'.repeat(300))
  expect(record).toEqual({ notKept: expect.stringMatching(/name too long/) })
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => void vi.restoreAllMocks())
  const reporter = new ScenarioReporter()
  reporter.onTestCaseResult(testCase('pass', record))
  reporter.onTestCaseResult(testCase('leak', record))
  expect(reporter.results.map(({ verdict }) => verdict)).toEqual(['pass', 'leak'])
  expect(printed).toHaveBeenCalledWith(
    expect.stringMatching(
      /^leakrig: The files of "a scenario" could not be copied out .*\(.*name too long.*verdict stands/,
    ),
  )
})

test('a kill that failed is printed beside what was left', () => {
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  onTestFinished(() => void vi.restoreAllMocks())
  const unmet = ['The system answered kill with a failure: no such team']
  new ScenarioReporter().onTestCaseResult(testCase('leak', { unmet }))
  expect(printed.mock.calls.join('\n')).toContain(`    ${unmet}\n`)
})

test('an interrupted run has the exit code of its signal, whatever it has found', () => {
  const run = report([testCase('pass'), testCase('leak')], 'SIGTERM')
  expect(run).toMatchObject({ exitCode: 143, interrupted: 'SIGTERM' })
  expect(summaryText(run)).toContain('interrupted by SIGTERM; until then:\n1 pass, 1 leak; ')
  expect(report([testCase('leak')])).toMatchObject({ exitCode: 1 })
})

test('the summary says that the sandboxes of the commands have ended', () => {
  const words = 'The commands ($ ...) work inside a sandbox that runs, and each sandbox has ended'
  expect(summaryText(report([testCase('pass')]))).not.toContain('The commands')
  expect(summaryText(report([testCase('leak')]))).toContain(`${words}.`)
  // Their commands are not printed.
  const known = { ...report([testCase('leak')]) }
  known.scenarios = known.scenarios.map(one => ({ ...one, verdict: 'known' as const }))
  expect(summaryText(known)).not.toContain('The commands')
  expect(summaryText(known, true)).toContain(`${words}.`)
  const kept = testCase('leak', { kept: '/project/.leakrig/a-scenario' })
  expect(summaryText(report([kept]))).toContain(`${words}; "its files" names a copy of what was in it.`)
})
