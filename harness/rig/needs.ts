import type { System } from '../definition/system.ts'

/** What a scenario or a cell needs of a system, beside `deploy`. */
export type Need =
  | 'kill'
  | 'completion'
  | 'completes.outside'
  | 'session'
  | 'pane'
  | 'logs'
  | 'eleven agents'
  | 'report workspace'

/** For each need, what a system lacks that cannot meet it, as the end of a sentence; undefined for one that can. */
const objections: Record<Need, (system: System) => string | undefined> = {
  kill: ({ kill }) => (kill ? undefined : 'declares no kill'),
  completion: ({ inside, exit }) =>
    inside || exit ? undefined : 'declares no completes.inside and no completes.exit',
  'completes.outside': ({ outside }) => (outside ? undefined : 'declares no completes.outside'),
  session: ({ tmux }) => (tmux === 'session' ? undefined : 'gives its agents no tmux session of their own'),
  pane: ({ tmux }) => (tmux ? undefined : 'runs its agents without tmux'),
  logs: ({ logs }) => (logs ? undefined : 'declares no logs'),
  'eleven agents': ({ maxAgents = Infinity }) =>
    maxAgents >= 11 ? undefined : `runs at most ${maxAgents} agents at once (maxAgents)`,
  // Only our own systems have no project of their own.
  'report workspace': ({ project }) =>
    project === undefined ? undefined : 'is not our own: this is about the files of the report’s system',
}

/** Why a system cannot be measured by something with these needs, in a sentence; undefined where it can. */
export function leftOutBecause(
  system: System | string | undefined,
  needs: readonly Need[],
): string | undefined {
  if (typeof system !== 'object') return undefined // one of our own has everything
  const [reason] = needs.flatMap(need => objections[need](system) ?? [])
  return reason && `left out: the system ${system.name} ${reason}`
}
