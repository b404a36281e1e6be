import { plot } from 'asciichart'
import { limits, roundsToPass, roundsToShow } from '../soak/judge.ts'
import type { ResourceSlope, SoakResult } from '../soak/result.ts'
import type { SoakPlan, SoakRound } from '../soak/round.ts'
import { seriesOf } from '../soak/series.ts'
import { filesIn } from '../timeline/counts.ts'
import { amounts, megabytes, nameOf, roundsText, slopeText, verdictTexts } from './soak-words.ts'
import { counted, seconds, wrapped } from './text.ts'

/** The most plots that are drawn, and their height in lines. */
const mostPlots = 3
const plotHeight = 6

/** The most leftovers and losses that are named. */
const mostNamed = 10

/** The width of the whole table, in columns, and the least for which lines are made. */
const widest = 80
const narrowest = 60

const within = (columns: number): number => Math.min(Math.max(columns, narrowest), widest)

/** What a soak does, and whether it can show a leak or pass, before it begins. */
export function planText({ seed, agents, rounds, forMs }: SoakPlan, columns = widest): string {
  const limits = [
    ...(rounds === undefined ? [] : [counted(rounds, 'round')]),
    ...(forMs === undefined ? [] : [`${forMs / 1000} s`]),
  ]
  const needed = roundsToPass(agents)
  const isEnough = rounds !== undefined && rounds >= needed && forMs === undefined
  const isTooFew = rounds !== undefined && rounds < needed
  return [
    `at most ${limits.join(' and ')} with ${counted(agents, 'agent')} each; --seed ${seed} draws the same agents again`,
    ...(isEnough ? [] : [`${isTooFew ? 'too few to pass: ' : ''}${roundsNeeded(needed, isTooFew)}`]),
  ]
    .flatMap(line => wrapped(line, within(columns)))
    .join('\n')
}

/** @param isTooFew how to have enough is shown too */
function roundsNeeded(toPass: number, isTooFew: boolean): string {
  const how = isTooFew ? ` (--repeat ${toPass})` : ''
  if (toPass === roundsToShow) return `it takes ${toPass} rounds to show a leak or to pass${how}`
  return `it takes ${roundsToShow} rounds to show a leak, and ${toPass} to pass${how}`
}

/** One round as a line, as it ends: in a narrow terminal only the first of its counts. */
export function roundText(round: SoakRound, columns = widest): string {
  const { agents, counts, kept, memory, durationMs } = round
  const keptFiles = Object.values(kept).reduce((sum, number) => sum + number, 0)
  const files = filesIn(counts) + keptFiles
  const head =
    agents === 0 ? 'baseline     ' : `${String(agents).padStart(5)} ${agents === 1 ? 'agent  ' : 'agents '}`
  const parts = [
    seconds(durationMs).padStart(6),
    `sessions ${counts.sessions}`,
    `processes ${counts.processes}`,
    `files ${files}`,
    `${megabytes(memory.system, 1)} MB`,
    `descriptors ${counts.descriptors}`,
  ]
  const lines = parts.map((_, at) => head + parts.slice(0, at + 1).join(' · '))
  return lines.findLast(line => line.length < within(columns)) ?? head.trimEnd()
}

/** The table of slopes, plots, and what the soak could have seen. */
export function soakText(result: SoakResult, columns = widest): string {
  const { rounds, slopes, oneIn } = result
  const width = within(columns)
  return [
    ...wrapped(roundsText(result), width),
    '',
    ...table(slopes, width < widest),
    '',
    ...plots(result, width - 20).flatMap(lines => [...lines, '']),
    ...[
      ...(oneIn >= 1
        ? [
            `A count that leaks for one in ${counted(Math.floor(oneIn), 'agent')} or more would have shown (in 95 of 100 soaks).`,
          ]
        : []),
      `Tolerated for each agent: ${limits.bytes.tolerated / 1000} kB of memory, and nothing else.`,
      ...moreRounds(result),
      ...leftBehind(rounds),
      ...collateral(rounds),
    ].flatMap(line => wrapped(line, width)),
  ].join('\n')
}

/** What did not pass, in sentences for reports that have no table: what decided the verdict is first. */
export function soakSentences(result: SoakResult): string[] {
  const { rounds, slopes } = result
  const grown = slopes
    .filter(({ verdict }) => verdict === 'leak')
    .map(one => `${nameOf(one)}: grows with each agent (${slopeText(one)})`)
  return [
    ...collateral(rounds),
    ...grown,
    ...moreRounds(result),
    ...notKnown(slopes),
    ...leftBehind(rounds),
  ].filter(Boolean)
}

function notKnown(slopes: readonly ResourceSlope[]): string[] {
  const names = slopes
    .filter(({ verdict }) => verdict === 'inconclusive')
    .map(one => (one.perAgent === undefined ? one.resource : `${one.resource} (${slopeWithUnit(one)})`))
  return names.length > 0 ? [`Not known to grow, nor to be flat: ${names.join(', ')}.`] : []
}

const slopeWithUnit = (one: ResourceSlope): string => `${slopeText(one)}${one.unit === 'bytes' ? ' MB' : ''}`

/** @param isNarrow only the amounts at the end */
function table(slopes: readonly ResourceSlope[], isNarrow: boolean): string[] {
  const head = ['', 'before', 'warm', 'last', 'each agent', '']
  const rows = slopes.map(one => [nameOf(one), ...amounts(one), slopeText(one), verdictTexts[one.verdict]])
  return [head, ...rows].map(([name = '', before = '', warm = '', last = '', slope = '', verdict = '']) => {
    const first = isNarrow ? '' : before.padStart(8) + warm.padStart(8)
    const gap = isNarrow ? ' ' : '  '
    return `${name.padEnd(25)}${first}${last.padStart(8)}${gap}${slope.padStart(13)}${gap}${verdict}`.trimEnd()
  })
}

function moreRounds({ slopes, rounds, agentsPerRound, verdict }: SoakResult): string[] {
  const count = rounds.length - 1
  if (verdict !== 'inconclusive') return []
  const needed = roundsToPass(agentsPerRound)
  const inconclusive = `Inconclusive with ${counted(count, 'round')}`
  if (count < roundsToShow)
    return [`${inconclusive} of ${counted(agentsPerRound, 'agent')}: ${roundsNeeded(needed, true)}.`]
  if (count < needed)
    return [
      `${inconclusive} of ${counted(agentsPerRound, 'agent')}: it takes ${needed} to pass (--repeat ${needed}).`,
    ]
  const all = count + Math.max(1, ...slopes.map(one => one.moreRounds ?? 0))
  return [`${inconclusive}: about ${all} may tell (--repeat ${all}).`]
}

/** The first of what was left, which show where to look. */
function leftBehind(rounds: readonly SoakRound[]): string[] {
  const left = rounds.at(-1)?.left ?? 0
  if (left === 0) return []
  const named = rounds.flatMap(({ leaks }) => leaks).slice(0, mostNamed)
  const more = left > named.length ? [`  and ${left - named.length} more`] : []
  return [
    '',
    `left at the end, whether or not it is a slope: ${left}`,
    ...named.map(one => `  ${one}`),
    ...more,
  ]
}

/** What leaks fastest, or memory of the system where nothing does. */
function plots({ slopes, rounds }: SoakResult, width: number): string[][] {
  const leaks = slopes.filter(({ verdict }) => verdict === 'leak')
  const shown =
    leaks.length > 0 ? leaks.slice(0, mostPlots) : slopes.filter(({ unit }) => unit === 'bytes').slice(0, 1)
  const all = seriesOf(rounds)
  return shown.flatMap(one => {
    const values = all.find(({ resource }) => resource === one.resource)?.values ?? []
    return values.length > 1 ? [plotOf(one, values, width)] : []
  })
}

function plotOf(one: ResourceSlope, values: readonly number[], width: number): string[] {
  const scaled = one.unit === 'bytes' ? values.map(value => value / 1e6) : [...values]
  const stretched = Array.from(
    { length: width },
    (_, at) => scaled[Math.floor((at * scaled.length) / width)] ?? 0,
  )
  const spread = Math.max(...stretched) - Math.min(...stretched)
  // Without a spread asciichart would divide by zero.
  const range = spread === 0 ? { max: (stretched[0] ?? 0) + 1 } : {}
  const format = (value: number) => value.toFixed(one.unit === 'bytes' ? 1 : 0).padStart(8)
  return [
    `${nameOf(one)}, from round to round`,
    ...plot(stretched, { height: plotHeight, format, ...range })
      .split('\n')
      .map(line => line.trimEnd()),
  ]
}

function collateral(rounds: readonly SoakRound[]): string[] {
  const lost = [...new Set(rounds.flatMap(round => round.collateral))]
  return lost.length > 0 ? ['', 'collateral:', ...lost.slice(0, mostNamed).map(one => `  ${one}`)] : []
}
