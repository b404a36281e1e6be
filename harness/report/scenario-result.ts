import type { TestCase } from 'vitest/node'
import { z } from 'zod'
import { soakResultSchema } from '../soak/result.ts'
import { longestMs } from '../timeline/longest.ts'
import type { Timeline } from '../timeline/timeline.ts'
import { verdictSchema } from '../verdict/verdict.ts'
import { fileName } from './file-name.ts'
import { knownLeakSchema } from './known-leak.ts'

const sentences = z.array(z.string())

/** The result of one scenario, as a report has it. */
export const scenarioResultSchema = z
  .object({
    file: z.string().describe('The test file, from the project.'),
    name: z.string(),
    system: z.string().describe('The system that was started, or would have been.'),
    verdict: z
      .enum(['pass', 'known', 'leak', 'collateral', 'inconclusive', 'skipped'])
      .describe(
        'inconclusive: the rig could not measure, which is never a pass. known: it is red, and every finding is known.',
      ),
    durationMs: z.number().nonnegative().max(longestMs),
    verdicts: z.array(verdictSchema).describe('One for each time that the scenario expected the baseline.'),
    leftOut: sentences.describe(
      'What it expected and did not check or do, because the system does not declare it.',
    ),
    unmet: sentences.describe(
      'Expectations beside the baseline that were not met, such as a kill that the system answered with a failure.',
    ),
    engine: z
      .string()
      .describe('The container engine on which it was measured, where there are several.')
      .exactOptional(),
    lostEngines: sentences
      .describe(
        'Engines that stopped while it was measured on them; it was then measured again from the beginning on another one.',
      )
      .exactOptional(),
    soak: soakResultSchema
      .describe('Only of a soak: its rounds, and the slope of each resource.')
      .exactOptional(),
    known: z.array(knownLeakSchema).describe('The known leaks that there are.').exactOptional(),
    notKnown: sentences
      .describe('What is new, more than known, or known for too long, in sentences.')
      .exactOptional(),
    errors: sentences.describe('Why it did not pass, or why it was skipped, in sentences.'),
    kept: z.string().describe("The folder with a copy of the sandbox's files.").exactOptional(),
    notKept: z.string().describe('Why there is no such copy.').exactOptional(),
  })
  .meta({ id: 'ScenarioResult' })

/** Its time line is in a file of its own. */
export interface ScenarioResult extends z.infer<typeof scenarioResultSchema> {
  /** What happened, from snapshot to snapshot. */
  timeline?: Timeline
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
    const verdict = redVerdict(result)
    if (verdict !== 'inconclusive')
      return { ...result, verdict, errors: ['Its test passed, and yet this was found.'] }
    if (verdicts.length > 0) return { ...result, verdict: 'pass', errors: [] }
    return {
      ...result,
      verdict: 'inconclusive',
      errors: ['It never expected the baseline, so nothing was measured.'],
    }
  }
  return {
    ...result,
    verdict: redVerdict(result),
    errors: errors.map(({ message }) => message),
  }
}

/** The verdict of a scenario that failed, whatever is known about it. */
export function redVerdict({
  verdicts,
  unmet,
}: Pick<ScenarioResult, 'verdicts' | 'unmet'>): ScenarioResult['verdict'] {
  const has = (which: 'leak' | 'collateral') =>
    verdicts.some(one => one.result === which || one[which === 'leak' ? 'leaks' : 'collateral'].length > 0)
  if (has('collateral')) return 'collateral'
  // An incomplete log and a wrong status count as leaks. Anything else that made the test fail is a problem of the
  // rig itself, which then has no verdict.
  return has('leak') || unmet.length > 0 ? 'leak' : 'inconclusive'
}
