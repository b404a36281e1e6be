import type { Moment, Picture } from '../reproduction/api.ts'
import type { Counts } from '../timeline/counts.ts'
import { filesIn } from '../timeline/counts.ts'
import { countsTable } from './counts-text.ts'
import { findingsSummary, findingsText } from './findings-text.ts'

/** What the report found, by the same counts: its executive summary, "Current System Evidence". */
const evidence: [name: string, found: number, of: (counts: Counts) => number][] = [
  ['active tmux sessions', 4, ({ sessions }) => sessions],
  ['claude processes', 54, ({ claudes }) => claudes],
  ['agent prompt files', 78, ({ files }) => files.prompt ?? 0],
  ['JSONL stream logs', 38, ({ files }) => files['stream log'] ?? 0],
]

/**
 * The report's evidence beside ours.
 * @param columns names of moments with their counts
 */
export function evidenceTable(columns: [name: string, counts: Counts][]): string[] {
  const line = (name: string, cells: (string | number)[]) =>
    [name.padEnd(22), ...cells.map(cell => String(cell).padStart(14))].join('').trimEnd()
  return [
    line('', ['the report', ...columns.map(([name]) => name)]),
    ...evidence.map(([name, found, of]) => line(name, [found, ...columns.map(([, counts]) => of(counts))])),
  ]
}

/**
 * What there is when the scenario has come to its end: the counts, what is left, and why.
 * @param verbose every finding by itself
 */
export function pictureText(picture: Picture, name: string, verbose = false): string {
  const { counts, leaks, collateral, notes, failure } = picture
  const isRed = leaks.length + collateral.length > 0
  return [
    ...(failure === undefined ? [] : [failure, '']),
    ...(name === 'report' ? [...evidenceTable([['here', counts.settled]]), ''] : []),
    ...countsTable(counts, 'now').filter(line => !/^ *[a-z -]+(?: +0(?: MB)?){3}$/.test(line)),
    '',
    isRed
      ? (verbose ? findingsText : findingsSummary)(picture)
      : 'No leak: the sandbox is back at its baseline.',
    ...notes.map(note => `seen, not counted: ${note}`),
  ].join('\n')
}

interface Hints {
  /** How a user calls leakrig: `npx leakrig`. */
  command: string
  picture: Picture
  hasWorkspace: boolean
}

/** What to try, from another terminal and in the sandbox. */
export function hintsText({ command, picture: { agents, sessions, leaks }, hasWorkspace }: Hints): string {
  const pid = leaks.find(({ kind, pid }) => kind === 'process' && pid !== undefined)?.pid
  const [agent] = agents
  const inside: [string, string][] = [
    ...(pid === undefined
      ? []
      : ([[`ps -fp ${pid}`, 'and every other command with $ in front']] as [string, string][])),
    ...(sessions.length > 0 ? ([['tmux attach', 'its pane; C-b d leaves it']] as [string, string][]) : []),
    ...(hasWorkspace ? ofWorkspace(agent, pid) : []),
  ]
  const width = Math.max(0, ...inside.map(([words]) => words.length))
  return [
    `a shell in the sandbox, from another terminal: ${command} shell`,
    ...(inside.length > 0 ? ['and in that shell:'] : []),
    ...inside.map(([words, why]) => `  ${words.padEnd(width)}  ${why}`),
  ].join('\n')
}

function ofWorkspace(agent: string | undefined, pid: number | undefined): [string, string][] {
  return [
    ...(pid === undefined
      ? []
      : ([[`leakrig explain ${pid}`, 'whose it is, and the evidence']] as [string, string][])),
    ...(agent === undefined
      ? []
      : ([[`leakrig explain ${agent}`, 'what belongs to it, and what a cleanup would do']] as [
          string,
          string,
        ][])),
    [sweepCommand.join(' '), 'the cleanup; without --apply it only says what it would do'],
  ]
}

/** The cleanup of everything that is there, young as it is. */
export const sweepCommand = ['leakrig', 'sweep', '--apply', '--min-age', '0s'] as const

/** The counts as they are, on a few lines of a terminal. */
export function momentLines(moment: Moment, name: string): string[] {
  const { phase, baseline, now, agents, left } = moment
  const step = [moment.agent, moment.step].filter(Boolean).join(' ')
  if (!now) return [step]
  const table: [string, (counts: Counts) => number][] = [
    ['tmux sessions', ({ sessions }) => sessions],
    ['claude processes', ({ claudes }) => claudes],
    ['all processes', ({ processes }) => processes],
    ['files', filesIn],
  ]
  const rows =
    name === 'report'
      ? evidenceTable([['now', now]])
      : [
          `${''.padEnd(18)}${'baseline'.padStart(10)}${'now'.padStart(8)}`,
          ...table.map(([title, of]) => {
            const before = baseline ? String(of(baseline)) : ''
            return `${title.padEnd(18)}${before.padStart(10)}${String(of(now)).padStart(8)}`
          }),
        ]
  const line = phase === 'held' ? `${left} left` : `${agents} deployed; ${step}`
  return [...rows, line]
}
