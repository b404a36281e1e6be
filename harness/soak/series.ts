import type { FileClass } from '../snapshot/snapshot.ts'
import type { SoakRound } from './round.ts'

/** How one resource went from round to round. */
export interface Series {
  resource: string
  unit: 'count' | 'bytes'
  /** It grows by policy, and is only shown. */
  isKept?: true
  /** Before the first agent, and after each round. */
  values: number[]
}

type Of = (round: SoakRound) => number

const counted: [resource: string, of: Of][] = [
  ['tmux servers', ({ counts }) => counts.servers],
  ['tmux sessions', ({ counts }) => counts.sessions],
  ['panes', ({ counts }) => counts.panes],
  ['claude processes', ({ counts }) => counts.claudes],
  ['all processes', ({ counts }) => counts.processes],
  ['zombies', ({ counts }) => counts.zombies],
  ['open descriptors', ({ counts }) => counts.descriptors],
  ['open files of the sandbox', ({ counts }) => counts.openFiles],
  ['listening sockets', ({ counts }) => counts.sockets],
  ['pseudo-terminals', ({ counts }) => counts.ptys],
]

const weighed: [resource: string, of: Of][] = [
  ['memory of the system', ({ memory }) => memory.system],
  ['memory of tmux', ({ memory }) => memory.tmux],
]

/**
 * Every resource of a soak, with files by class. Memory of the system is left out where the system has no process that stays.
 * @param rounds the first is the baseline
 */
export function seriesOf(rounds: readonly SoakRound[]): Series[] {
  const classes = (of: (round: SoakRound) => object) =>
    [...new Set(rounds.flatMap(round => Object.keys(of(round)) as FileClass[]))].toSorted()
  const left = classes(({ counts }) => counts.files)
  const kept = classes(round => round.kept)
  return [
    ...counted.map(([resource, of]): Series => ({ resource, unit: 'count', values: rounds.map(of) })),
    ...left.map(
      (name): Series => ({
        resource: `files: ${name}`,
        unit: 'count',
        values: rounds.map(({ counts }) => counts.files[name] ?? 0),
      }),
    ),
    ...weighed
      .map(([resource, of]): Series => ({ resource, unit: 'bytes', values: rounds.map(of) }))
      .filter(({ values }) => values.some(value => value > 0)),
    ...kept.map(
      (name): Series => ({
        resource: `kept: ${name}`,
        unit: 'count',
        isKept: true,
        values: rounds.map(round => round.kept[name] ?? 0),
      }),
    ),
  ]
}
