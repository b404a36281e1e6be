import type { ProcessResource, Resource } from './snapshot.ts'

/** The processes of one snapshot by pid, and what they are to tmux and to agents. */
export interface ByPid {
  processes: ReadonlyMap<number, ProcessResource>
  /** Pids of the tmux servers. */
  servers: ReadonlySet<number>
  /** Agents that have a running claude. */
  withClaude: ReadonlySet<string>
  /** Whether a process is the process of a pane, or a descendant of one. */
  isBelowPane(process: ProcessResource): boolean
}

const made = new WeakMap<readonly Resource[], ByPid>()

/** The index of a snapshot's resources, made once. The first call must come when the owners are set. */
export function byPid(resources: readonly Resource[]): ByPid {
  const existing = made.get(resources)
  if (existing) return existing
  const index = makeIndex(resources)
  made.set(resources, index)
  return index
}

function makeIndex(resources: readonly Resource[]): ByPid {
  const processes = processesByPid(resources)
  const servers = new Set<number>()
  const panes = new Set<number>()
  const withClaude = new Set<string>()
  for (const one of resources) {
    if (one.kind === 'server') servers.add(one.pid)
    if (one.kind === 'pane') panes.add(one.pid)
    if (one.kind === 'process' && one.comm === 'claude' && one.owner) withClaude.add(one.owner.agent)
  }
  return { processes, servers, withClaude, isBelowPane: belowOneOf(panes, processes) }
}

/** The processes alone. Unlike `byPid` this needs no owners. */
export function processesByPid(resources: readonly Resource[]): Map<number, ProcessResource> {
  return new Map(resources.flatMap(one => (one.kind === 'process' ? [[one.pid, one]] : [])))
}

/** Visits each process once, however many descendants it has. */
function belowOneOf(tops: Set<number>, processes: Map<number, ProcessResource>): ByPid['isBelowPane'] {
  const answers = new Map([...tops].map(pid => [pid, true]))
  return process => {
    const path: number[] = []
    let at: ProcessResource | undefined = process
    while (at && !answers.has(at.pid)) {
      // A pid that was reused while the table was read could close a circle.
      answers.set(at.pid, false)
      path.push(at.pid)
      at = processes.get(at.ppid)
    }
    const answer = at !== undefined && answers.get(at.pid) === true
    for (const pid of path) answers.set(pid, answer)
    return answers.get(process.pid) === true
  }
}
