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
  const ran = foundByScenario(results)
  return known.filter(one => systems.includes(one.system) && !ran.has(scenarioOf(one)))
}

/** An entry in a few words. */
export const entryText = ({ mechanism, scenario, system }: KnownLeak): string =>
  `${mechanism} of ${JSON.stringify(scenario)}, system ${system}`

/** The entries of scenarios that ran, whose findings are gone for good: in sentences. */
export function fixedEntries(results: readonly ScenarioResult[], known: readonly KnownLeak[]): string[] {
  const measured = foundByScenario(results.filter(({ verdict }) => isMeasured(verdict)))
  const isFixed = (one: KnownLeak) =>
    measured.get(scenarioOf(one))?.has(one.mechanism) === false && !one.sometimes
  return known.filter(isFixed).map(entryText)
}

/**
 * The entries after a run: those of what was measured as it was found, with their reasons and days, and all others as they
 * were. A new entry counts as known for 90 days. A count never falls: many vary from run to run, and the next one would be red.
 */
export function updatedKnown(
  known: readonly KnownLeak[],
  results: readonly ScenarioResult[],
  today: Date,
): KnownLeak[] {
  const expires = dayOf(new Date(today.getTime() + newEntryDays * 86_400_000))
  const measured = results.filter(({ verdict }) => isMeasured(verdict))
  const names = foundByScenario(measured)
  const isGone = (one: KnownLeak) => names.has(scenarioOf(one)) && !one.sometimes
  const entries = new Map(known.filter(one => !isGone(one)).map(one => [keyOf(one), one]))
  const before = new Map(known.map(one => [keyOf(one), one]))
  for (const result of measured)
    for (const [mechanism, count] of found(result)) {
      const { system, name: scenario } = result
      const added = { system, scenario, mechanism, count, reason: newEntryReason, expires }
      const old = before.get(keyOf(added)) ?? added
      entries.set(keyOf(added), { ...old, count: Math.max(old.count, count) })
    }
  const sorted = [...entries].toSorted(([one], [other]) => (one < other ? -1 : 1))
  return sorted.map(([, entry]) => entry)
}

/** The entries of which a run found some, and fewer than there may be. */
export function entriesWithRoom(
  known: readonly KnownLeak[],
  results: readonly ScenarioResult[],
): KnownLeak[] {
  const all = foundByScenario(results)
  return known.filter(one => {
    const count = all.get(scenarioOf(one))?.get(one.mechanism)
    return count !== undefined && count < one.count
  })
}

const keyOf = ({ system, scenario, mechanism }: KnownLeak): string => [system, scenario, mechanism].join('\n')

const scenarioKey = (system: string, name: string): string => JSON.stringify([system, name])

const scenarioOf = ({ system, scenario }: KnownLeak): string => scenarioKey(system, scenario)

/** What was found in each scenario: a list has many entries, and they are not compared with each result. */
const foundByScenario = (results: readonly ScenarioResult[]): ReadonlyMap<string, ReturnType<typeof found>> =>
  new Map(results.map(result => [scenarioKey(result.system, result.name), found(result)]))

function isAbout(known: KnownLeak, { system, name }: Pick<ScenarioResult, 'system' | 'name'>): boolean {
  return known.system === system && known.scenario === name
}

function isMeasured(verdict: ScenarioResult['verdict']): boolean {
  return verdict !== 'inconclusive' && verdict !== 'skipped'
}
