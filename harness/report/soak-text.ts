import { plot } from 'asciichart'
import { limits } from '../soak/judge.ts'
import type { ResourceSlope, SoakResult } from '../soak/result.ts'
import type { SoakRound } from '../soak/round.ts'
import { seriesOf } from '../soak/series.ts'
import { filesIn } from '../timeline/counts.ts'
import { seconds } from './text.ts'

/** The most plots that are drawn, and their size in characters. */
const mostPlots = 3
const plotSize = { height: 6, width: 60 }

/** The most leftovers and losses that are named. */
const mostNamed = 10

/** One round as a line, as it ends. */
export function roundText({ agents, counts, kept, memory, durationMs }: SoakRound): string {
  const keptFiles = Object.values(kept).reduce((sum, number) => sum + number, 0)
  const files = filesIn(counts) + keptFiles
  return [
    agents === 0 ? 'baseline   ' : `${String(agents).padStart(4)} agents`,
    `sessions ${counts.sessions} · processes ${counts.processes} · descriptors ${counts.descriptors}`,
    `files ${files} (${keptFiles} kept) · ${megabytes(memory.system, 1)} MB`,
    seconds(durationMs),
  ].join('  ')
}

/** The table of slopes, plots, and what the soak could have seen. */
export function soakText(result: SoakResult): string {
  const { rounds, warmUp, slopes, oneIn, agentsPerRound } = result
  const count = rounds.length - 1
  const agents = rounds.at(-1)?.agents ?? 0
  return [
    `${count} rounds of ${agentsPerRound} agents (${agents}); the first ${warmUp} warm up, and are left out of the slopes`,
    '',
    ...table(slopes),
    '',
    ...plots(result).flatMap(lines => [...lines, '']),
    ...(oneIn >= 1
      ? [
          `A count that leaks for one in ${Math.floor(oneIn)} agents or more would have shown (in 95 of 100 soaks).`,
        ]
      : []),
    `Tolerated for each agent: ${limits.bytes.tolerated / 1000} kB of memory, and nothing else.`,
    ...moreRounds(slopes, count),
    ...leftBehind(rounds),
    ...collateral(rounds),
  ].join('\n')
}

/** What did not pass, in sentences for reports that have no table. */
export function soakSentences({ slopes, rounds }: SoakResult): string[] {
  const grown = slopes.flatMap(one => {
    const slope = `with each agent (${slopeText(one)})`
    if (one.verdict === 'leak') return `${nameOf(one)}: grows ${slope}`
    return one.verdict === 'inconclusive' ? `${nameOf(one)}: it is not known whether it grows ${slope}` : []
  })
  return [...grown, ...leftBehind(rounds), ...collateral(rounds)].filter(Boolean)
}

function table(slopes: readonly ResourceSlope[]): string[] {
  const head = ['', 'before', 'warm', 'last', 'for each agent', '']
  const rows = slopes.map(one => [nameOf(one), ...amounts(one), slopeText(one), verdictTexts[one.verdict]])
  return [head, ...rows].map(([name = '', before = '', warm = '', last = '', slope = '', verdict = '']) =>
    `${name.padEnd(26)}${before.padStart(7)}${warm.padStart(8)}${last.padStart(8)}  ${slope.padStart(17)}  ${verdict}`.trimEnd(),
  )
}

const nameOf = ({ resource, unit }: ResourceSlope): string =>
  unit === 'bytes' ? `${resource}, MB` : resource

function amounts({ unit, baseline, warm, last }: ResourceSlope): string[] {
  return [baseline, warm, last].map(value => (unit === 'bytes' ? megabytes(value, 1) : String(value)))
}

/** `0.20 ± 0.01`: the slope, and the longer half of its interval. */
function slopeText({ unit, perAgent, lower, upper }: ResourceSlope): string {
  if (perAgent === undefined || lower === undefined || upper === undefined) return '-'
  const half = Math.max(perAgent - lower, upper - perAgent)
  const [shown, width] =
    unit === 'bytes' ? [megabytes(perAgent, 3), megabytes(half, 3)] : [perAgent.toFixed(2), half.toFixed(2)]
  return `${shown.replace(/^-(0\.0+)$/, '$1')} ± ${width}`
}

const verdictTexts = { pass: 'flat', kept: 'by policy', leak: 'LEAK', inconclusive: 'inconclusive' }

function moreRounds(slopes: readonly ResourceSlope[], count: number): string[] {
  const more = Math.max(0, ...slopes.map(one => one.moreRounds ?? 0))
  return more > 0
    ? [`Inconclusive with ${count} rounds: it takes about ${count + more} (--repeat ${count + more}).`]
    : []
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
function plots({ slopes, rounds }: SoakResult): string[][] {
  const leaks = slopes.filter(({ verdict }) => verdict === 'leak')
  const shown =
    leaks.length > 0 ? leaks.slice(0, mostPlots) : slopes.filter(({ unit }) => unit === 'bytes').slice(0, 1)
  const all = seriesOf(rounds)
  return shown.flatMap(one => {
    const values = all.find(({ resource }) => resource === one.resource)?.values ?? []
    return values.length > 1 ? [plotOf(one, values)] : []
  })
}

function plotOf(one: ResourceSlope, values: readonly number[]): string[] {
  const scaled = one.unit === 'bytes' ? values.map(value => value / 1e6) : [...values]
  const stretched = Array.from(
    { length: plotSize.width },
    (_, at) => scaled[Math.floor((at * scaled.length) / plotSize.width)] ?? 0,
  )
  const spread = Math.max(...stretched) - Math.min(...stretched)
  // Without a spread asciichart would divide by zero.
  const range = spread === 0 ? { max: (stretched[0] ?? 0) + 1 } : {}
  const format = (value: number) => value.toFixed(one.unit === 'bytes' ? 1 : 0).padStart(8)
  return [
    `${nameOf(one)}, from round to round`,
    ...plot(stretched, { height: plotSize.height, format, ...range }).split('\n'),
  ]
}

function collateral(rounds: readonly SoakRound[]): string[] {
  const lost = [...new Set(rounds.flatMap(round => round.collateral))]
  return lost.length > 0 ? ['', 'collateral:', ...lost.slice(0, mostNamed).map(one => `  ${one}`)] : []
}

const megabytes = (bytes: number, digits: number): string => (bytes / 1e6).toFixed(digits)
