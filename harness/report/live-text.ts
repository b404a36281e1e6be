import { styleText } from 'node:util'
import { oneLine } from '../terminal.ts'
import { type Counts, filesIn } from '../timeline/counts.ts'
import type { Progress } from '../timeline/progress.ts'
import { cut } from './text.ts'

/** A scenario that runs. */
export interface Running {
  name: string
  /** When it began, ms of any clock. */
  since: number
  /** Absent until it has said something. */
  progress?: Progress
}

/** What there is room for, in characters and lines. */
export interface Room {
  columns: number
  rows: number
}

/** An agent's id may be long, in characters; of a name so much is always shown. */
const longestAgent = 12
const shortestName = 20

/** The scenarios that run: each with its step and its counts, from the baseline to now. Fewer lines where there is no room. */
export function liveText(running: readonly Running[], now: number, { columns, rows }: Room): string {
  const hasRoom = running.length * 2 < rows
  const shown = running.slice(0, hasRoom ? running.length : Math.max(1, rows - 2))
  const lines = shown.flatMap(one => [
    head(one, now, columns),
    ...(hasRoom ? [styleText('dim', cut(`    ${countsNow(one.progress)}`, columns - 1))] : []),
  ])
  const rest = running.length - shown.length
  return [...lines, ...(rest > 0 ? [`  … and ${rest} more`] : [])].join('\n')
}

function head({ name, since, progress }: Running, now: number, columns: number): string {
  const { step = 'waits for its sandbox', agent } = progress ?? {}
  const whose = agent === undefined ? '' : ` (${cut(oneLine(agent), longestAgent)})`
  const state = `  ${Math.floor((now - since) / 1000)} s  ${oneLine(step)}${whose}`
  const shortName = cut(oneLine(name), Math.max(shortestName, columns - state.length - 3))
  return `… ${shortName}${styleText('dim', cut(state, columns - shortName.length - 3))}`
}

function countsNow({ baseline, now }: Progress = { step: '' }): string {
  if (!now) return 'nothing was counted yet'
  const row = (name: string, of: (counts: Counts) => number) =>
    `${name} ${baseline ? `${of(baseline)}→` : ''}${of(now)}`
  return [
    row('sessions', ({ sessions }) => sessions),
    row('claude', ({ claudes }) => claudes),
    row('processes', ({ processes }) => processes),
    row('files', filesIn),
  ].join(' · ')
}
