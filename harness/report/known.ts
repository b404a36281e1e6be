import type { KnownLeak, KnownMechanism } from './known-leak.ts'
import { found } from './known-texts.ts'
import { redVerdict, type ScenarioResult } from './scenario-result.ts'

/** How long a new entry counts as known, days. */
const newEntryDays = 90

/** The reason of an entry that `--update-known` adds. */
const newEntryReason = 'not looked at yet'

/** A day of UTC, YYYY-MM-DD. */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10)

/**
 * Judges a red scenario by what is known. If every finding is known, it is `known`; otherwise it stays red, and says in sentences
 * what is new, more than known, or known for too long.
 */
export function judge(result: ScenarioResult, known: readonly KnownLeak[], today: string): ScenarioResult {
  if (result.verdict !== 'leak' && result.verdict !== 'collateral') return result
  const mine = known.filter(one => isAbout(one, result))
  if (mine.length === 0) return result
  const problems = [...found(result)].flatMap(([mechanism, count]) =>
    problem(
      mine.find(one => one.mechanism === mechanism),
      mechanism,
      count,
      today,
    ),
  )
  if (problems.length > 0) return { ...result, notKnown: problems }
  return { ...result, verdict: 'known', known: mine.filter(one => found(result).has(one.mechanism)) }
}

function problem(
  known: KnownLeak | undefined,
  mechanism: KnownMechanism,
  count: number,
  today: string,
): string[] {
  if (!known) return [`new: ${count} ${mechanism}, of which none is known`]
  if (count > known.count) {
    const verb = known.count === 1 ? 'is' : 'are'
    return [`more: ${count} ${mechanism}, of which ${known.count} ${verb} known`]
  }
  if (known.expires < today)
    return [`expired: ${mechanism} was known until ${known.expires} (${known.reason})`]
  return []
}

/** A result as it was before it was judged by what is known. */
export function unjudged({ known: _, notKnown: __, ...result }: ScenarioResult): ScenarioResult {
  return result.verdict === 'known' ? { ...result, verdict: redVerdict(result) } : result
}

/** The entries of the tested systems whose scenarios were not among those that ran. */
export function entriesNotRun(
  results: readonly ScenarioResult[],
  known: readonly KnownLeak[],
  systems: readonly string[],
): KnownLeak[] {
  const ran = new Set(results.map(({ system, name }) => scenarioKey(system, name)))
  return known.filter(
    ({ system, scenario }) => systems.includes(system) && !ran.has(scenarioKey(system, scenario)),
  )
}

/** An entry in a few words. */
export const entryText = ({ mechanism, scenario, system }: KnownLeak): string =>
  `${mechanism} of ${JSON.stringify(scenario)}, system ${system}`

/** The entries of scenarios that ran, whose findings are gone: in sentences. */
export function fixedEntries(results: readonly ScenarioResult[], known: readonly KnownLeak[]): string[] {
  const measured = new Map(
    results
      .filter(({ verdict }) => isMeasured(verdict))
      .map(result => [scenarioKey(result.system, result.name), found(result)]),
  )
  return known.flatMap(one => {
    const counts = measured.get(scenarioKey(one.system, one.scenario))
    return !counts || counts.has(one.mechanism) ? [] : entryText(one)
  })
}

/**
 * The entries after a run: those of what was measured as it was found, with their reasons and days, and all others as they
 * were. A new entry counts as known for 90 days.
 */
export function updatedKnown(
  known: readonly KnownLeak[],
  results: readonly ScenarioResult[],
  today: Date,
): KnownLeak[] {
  const expires = dayOf(new Date(today.getTime() + newEntryDays * 86_400_000))
  const measured = results.filter(({ verdict }) => isMeasured(verdict))
  const names = new Set(measured.map(({ system, name }) => scenarioKey(system, name)))
  const others = known.filter(({ system, scenario }) => !names.has(scenarioKey(system, scenario)))
  const now = measured.flatMap(result =>
    [...found(result)].map(([mechanism, count]): KnownLeak => {
      const before = known.find(one => isAbout(one, result) && one.mechanism === mechanism)
      const { reason = newEntryReason, expires: day = expires } = before ?? {}
      return { system: result.system, scenario: result.name, mechanism, count, reason, expires: day }
    }),
  )
  const key = ({ system, scenario, mechanism }: KnownLeak) => [system, scenario, mechanism].join('\n')
  return [...others, ...now].toSorted((one, other) => (key(one) < key(other) ? -1 : 1))
}

const scenarioKey = (system: string, name: string): string => JSON.stringify([system, name])

function isAbout(known: KnownLeak, { system, name }: Pick<ScenarioResult, 'system' | 'name'>): boolean {
  return known.system === system && known.scenario === name
}

function isMeasured(verdict: ScenarioResult['verdict']): boolean {
  return verdict !== 'inconclusive' && verdict !== 'skipped'
}
