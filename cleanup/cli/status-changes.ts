import { type AgentRow, isPendingRow, type Measurement } from '../metrics/measurement.ts'
import { oneLine } from './format.ts'

/** What is compared between two looks, by a name for people. Ages and sizes change always, and are no news. */
export function facts(found: Measurement): Map<string, string> {
  const all = new Map<string, string>()
  for (const { workspace, agents, daemon } of found.workspaces) {
    for (const row of agents) if (row.state !== 'done') agentFacts(all, row)
    all.set(`${workspace} pending`, String(agents.filter(isPendingRow).length))
    all.set(
      `${workspace} daemon`,
      daemon.pid === undefined
        ? 'none'
        : `${daemon.pid} ${daemon.stopped ? 'stopped' : (daemon.health?.state ?? '')}`.trim(),
    )
  }
  const { sessions, processes } = found
  if (sessions)
    all.set(
      'leftover sessions',
      sessions.leftover
        .map(({ name }) => name)
        .sort()
        .join(' '),
    )
  if (processes) all.set('leftover processes', processes.leftovers.map(({ pid }) => pid).join(' '))
  for (const problem of found.problems) all.set(problem, 'begins')
  return all
}

function agentFacts(all: Map<string, string>, row: AgentRow): void {
  const name = `${row.taskId}/${row.agentId}`
  all.set(`${name} status`, row.status)
  all.set(`${name} cleanup`, [row.state === 'live' ? '-' : row.state, ...row.problems].join(' '))
  if (row.session !== undefined) all.set(`${name} session`, row.session ? 'yes' : 'no')
  if (row.processes !== undefined) all.set(`${name} processes`, String(row.processes))
}

/** One line per change; against nothing, one line per fact. */
export function changeLines(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
  atMs: number,
): string[] {
  const time = new Date(atMs).toISOString()
  const names = new Set([...before.keys(), ...now.keys()])
  return [...names].flatMap(name => {
    const [old, fresh] = [before.get(name), now.get(name)]
    if (old === fresh) return []
    const change =
      old === undefined
        ? (fresh ?? '')
        : `${old || 'none'} -> ${fresh === undefined ? 'gone' : fresh || 'none'}`
    return [oneLine(`${time} ${name}: ${change || 'none'}`)]
  })
}
