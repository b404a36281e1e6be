import { beginning, makeReport, type Report, type Run } from '../../report/report.ts'
import type { ScenarioResult } from '../../report/scenario-result.ts'
import { count } from '../../timeline/counts.ts'
import type { Finding, Verdict } from '../../verdict/verdict.ts'

/** What a report says that it ran. */
export const aRun = (more: Partial<Run> = {}): Run => ({
  version: '0.1.0',
  command: 'scenarios',
  systems: ['mine'],
  selection: [],
  ...more,
})

export const aFinding = (more: Partial<Finding> = {}): Finding => ({
  verdict: 'leak',
  kind: 'file',
  id: 'file:/tmp/prompt',
  what: 'prompt p.txt, 12 bytes',
  owner: { agent: 'agent-1', evidence: 'its name' },
  mechanism: 'not-removed',
  why: 'nobody removed it, and nobody reads it any more',
  command: 'ls -l /tmp/prompt',
  outlivedMs: 5_000,
  ...more,
})

export function aVerdict(leaks: Finding[] = []): Verdict {
  const counts = { ...count([]), processes: 1 }
  return {
    result: leaks.length > 0 ? 'leak' : 'pass',
    counts: {
      baseline: counts,
      peak: { ...counts, sessions: 1, claudes: 1, processes: 9, files: { prompt: leaks.length + 1 } },
      settled: { ...counts, files: { prompt: leaks.length } },
    },
    leaks,
    collateral: [],
    ...(leaks.length === 0 && { msToBaseline: 400 }),
    kept: [],
    ignored: [],
    notes: [],
  }
}

export const green = (name: string, more: Partial<ScenarioResult> = {}): ScenarioResult => ({
  file: 'scenarios/2-manual-kill.test.ts',
  name,
  system: 'mine',
  verdict: 'pass',
  durationMs: 900,
  verdicts: [aVerdict()],
  leftOut: [],
  unmet: [],
  errors: [],
  ...more,
})

export const red = (name: string, more: Partial<ScenarioResult> = {}): ScenarioResult =>
  green(name, { verdict: 'leak', verdicts: [aVerdict([aFinding()])], errors: ['1 leaked'], ...more })

export function aReport(
  results: ScenarioResult[],
  { run = aRun(), errors = [], ...more }: Partial<Report> = {},
): Report {
  const circumstances = { beginning: beginning(), run, interrupted: undefined, ...more }
  return makeReport(
    { sandbox: { kind: 'namespace', why: 'requested' }, ...circumstances },
    { results, errors },
  )
}
