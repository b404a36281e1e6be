import { usualLongest } from '../limit.ts'
import type { About, Moment, Picture } from '../reproduction/api.ts'
import type { ChosenSandbox } from '../sandbox/start.ts'
import { oneLine } from '../terminal.ts'
import type { Counts } from '../timeline/counts.ts'
import { filesIn } from '../timeline/counts.ts'
import { defaultTiming, longestRest, type SettleTiming } from '../verdict/settle.ts'
import { countsTable } from './counts-text.ts'
import { findingsSummary, findingsText } from './findings-text.ts'
import { cut } from './text.ts'

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
  /** How a user calls `leakrig shell`. */
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
    `a shell in the sandbox, from another terminal: ${command}`,
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

/** The counts as they are, on a few lines of a terminal of that width. */
export function momentLines(moment: Moment, name: string, columns: number): string[] {
  const { phase, baseline, now, agents, left, stepMs } = moment
  const step = [moment.agent, moment.step].filter(Boolean).join(' ')
  if (!now) return [cut(oneLine(step), columns)]
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
  const isSettling = phase === 'building' && moment.step === 'settle'
  const since = isSettling ? ` for ${Math.floor(stepMs / 1000)} s` : ''
  const line = phase === 'held' ? `${left} left` : `${agents} deployed; ${step}${since}`
  return [
    ...[...rows, line].map(one => cut(oneLine(one), columns)),
    ...(isSettling ? folded(settlingText().split(' '), ' ', columns) : []),
  ]
}

/** What a settling waits for, and how long at most. */
export function settlingText({ restMs, deadlineMs }: SettleTiming = defaultTiming): string {
  const [rest, deadline] = [restMs / 1000, deadlineMs / 1000]
  return `Waits for the baseline, or until nothing has changed for ${rest} s; at most ${deadline} s. On a busy machine: up to ${rest * longestRest} s, at most ${deadline * usualLongest} s.`
}

interface KeyChoice {
  hasWorkspace: boolean
  /** A session of an agent is there. */
  canAttach: boolean
}

/** The keys, on lines of that width. */
export function keyLines({ hasWorkspace, canAttach }: KeyChoice, columns: number): string[] {
  const keys = [
    's shell',
    ...(canAttach ? ['t tmux'] : []),
    ...(hasWorkspace ? ['e explain', 'c clean up'] : []),
    'p what is left',
    'v all of it',
    'q leave',
  ]
  return folded(keys, '  ', columns)
}

/** The keys are shown below it. */
export const unknownKeyText = (key: string): string =>
  `${oneLine(JSON.stringify(key))} is not one of the keys:`

/** What a cleanup has left. */
export function afterCleanup({ leaks, collateral }: Pick<Picture, 'leaks' | 'collateral'>): string {
  const isRed = leaks.length + collateral.length > 0
  return isRed ? findingsSummary({ leaks, collateral }) : 'Nothing is left of it.'
}

/** The first lines. */
export const headText = (name: string, what: string, system: string, { kind, why }: ChosenSandbox): string =>
  `leakrig: ${name}: ${what}\nsystem ${system}, sandbox ${kind} (${why})\n`

/** While it is made, where lines cannot be drawn again. */
export const deployedText = (agents: number): string => `${agents} agents deployed`

/** The answers to keys. */
export const answers = {
  shell: 'A shell in the sandbox; `exit` leads back.',
  noSession: 'No session of an agent is left.',
  noAgent: 'Nothing of an agent is left.',
} as const

/** What is said when it ends, at once; and at last. */
export const endingText = 'Ending the sandbox and everything in it …'

export const endedByItselfText =
  'The sandbox has ended before you left it: was a process of it, or its container, killed from outside?'

/** @param seen how many processes it had; undefined for a container */
export const goneText = (seen: number | undefined): string =>
  `Nothing is left on this machine: ${seen === undefined ? 'the container is gone' : `the sandbox and its ${seen} processes are gone`}.`

/** When it ends while its sandbox is being started. @param seen how many processes there were */
export const endedEarlyText = (seen: number, mayHaveContainer: boolean): string => {
  const processes =
    seen === 0 ? 'nothing had been started' : `the ${seen} processes that had been started are gone`
  const container = mayHaveContainer ? ' A container that was being started ends by itself.' : ''
  return `Nothing is left on this machine: ${processes}.${container}`
}

export const leftText = (left: readonly string[]): string =>
  `Something is left of the sandbox: ${left.join(', ')}; end it by hand.`

/** Where nobody can press a key. */
export const noTerminalText =
  'There is no terminal, so it ends here; --then COMMAND runs a command in the sandbox before that.'

/** Which reproduction a shell is in. */
export const placeText = (about: About): string =>
  `in the sandbox of ${runningText(about)}, system ${oneLine(about.system)}`

/** A reproduction that runs, by what a user knows it by. */
export const runningText = ({ name, pid, folder }: About): string =>
  `${oneLine(name)} (pid ${pid}, started in ${oneLine(folder)})`

/** Words or keys on as many lines as a width needs. */
function folded(words: readonly string[], between: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of words) {
    const longer = lines.length > 0 ? `${lines.at(-1)}${between}${word}` : word
    if (lines.length > 0 && longer.length <= columns) lines[lines.length - 1] = longer
    else lines.push(cut(word, columns))
  }
  return lines
}
