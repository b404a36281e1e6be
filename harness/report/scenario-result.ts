import type { TestCase } from 'vitest/node'
import type { SoakResult } from '../soak/judge.ts'
import type { Timeline } from '../timeline/timeline.ts'
import type { Verdict } from '../verdict/verdict.ts'
import { fileName } from './file-name.ts'
import type { KnownLeak } from './known-leak.ts'

/** The result of one scenario. `inconclusive`: the rig could not measure, which is never a pass. */
export interface ScenarioResult {
  file: string
  name: string
  /** The system that was started, or would have been. */
  system: string
  /** `known`: it is red, and every finding is known (`known`). */
  verdict: 'pass' | 'known' | 'leak' | 'collateral' | 'inconclusive' | 'skipped'
  durationMs: number
  /** One for each time that the scenario expected the baseline. */
  verdicts: Verdict[]
  /** What happened, from snapshot to snapshot. */
  timeline?: Timeline
  /** What it expected and did not check or do, because the system does not declare it. */
  leftOut: string[]
  /** The container engine on which it was measured, where there are several. */
  engine?: string
  /** Engines that stopped while it was measured on them. It was then measured again from the beginning, on another one. */
  lostEngines?: string[]
  /** Expectations beside the baseline that were not met, such as a kill that the system answered with a failure. */
  unmet: string[]
  /** Only of a soak: its rounds, and the slope of each resource. */
  soak?: SoakResult
  /** The known leaks that there are. */
  known?: KnownLeak[]
  /** What is new, more than known, or known for too long, in sentences. */
  notKnown?: string[]
  /** Why it did not pass, or why it was skipped, in sentences. */
  errors: string[]
  /** The folder with a copy of the sandbox's files. */
  kept?: string
  /** Why there is no such copy. */
  notKept?: string
}

/** @param system the system of the run; a test file may start another one */
export function scenarioResult(test: TestCase, system: string): ScenarioResult {
  const record = test.meta().leakrig
  const verdicts = record?.verdicts ?? []
  const result = {
    file: fileName(test.module.moduleId),
    name: test.fullName,
    system: record?.system ?? system,
    durationMs: Math.round(test.diagnostic()?.duration ?? 0),
    verdicts,
    leftOut: record?.leftOut ?? [],
    unmet: record?.unmet ?? [],
    ...(record?.timeline ? { timeline: record.timeline } : {}),
    ...(record?.engine !== undefined ? { engine: record.engine } : {}),
    ...(record?.lostEngines ? { lostEngines: record.lostEngines } : {}),
    ...(record?.kept ? { kept: record.kept } : {}),
    ...(record?.notKept ? { notKept: record.notKept } : {}),
  }
  const outcome = test.result()
  const { state, errors = [] } = outcome
  if (state === 'skipped' || state === 'pending') {
    const note = 'note' in outcome ? outcome.note : undefined
    return { ...result, verdict: 'skipped', errors: note ? [note] : [] }
  }
  if (state === 'passed') {
    if (verdicts.length > 0) return { ...result, verdict: 'pass', errors: [] }
    return {
      ...result,
      verdict: 'inconclusive',
      errors: ['It never expected the baseline, so nothing was measured.'],
    }
  }
  return {
    ...result,
    verdict: failure(verdicts, result.unmet),
    errors: errors.map(({ message }) => message),
  }
}

function failure(verdicts: Verdict[], unmet: string[]): ScenarioResult['verdict'] {
  const found = verdicts.map(({ result }) => result)
  if (found.includes('collateral')) return 'collateral'
  // An incomplete log and a wrong status count as leaks. Anything else that made the test fail is a problem of the
  // rig itself, which then has no verdict.
  return found.includes('leak') || unmet.length > 0 ? 'leak' : 'inconclusive'
}
