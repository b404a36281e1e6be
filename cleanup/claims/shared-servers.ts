import { isStopped } from '../platform/processes/stat.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import { namesAgent } from '../registry/marker.ts'
import { readClients } from '../tmux/clients.ts'
import { isTmuxServer } from '../tmux/is-server.ts'
import { socketsListenedToBy } from '../tmux/listener.ts'
import { readServer } from '../tmux/server.ts'
import { betweenServerAndAgents } from './agents-live-in.ts'
import { claim } from './claim.ts'
import type { Observation, SharedServer } from './observation.ts'
import { otherAgents } from './other-agents.ts'
import { type Asked, closedOnServer, sharedServer } from './others-live-in.ts'
import { closedInScreen, isScreenServer, sharedScreen } from './screen.ts'

/**
 * Finds the tmux and screen servers that an agent started and that others live in (others-live-in.ts), and the windows on the
 * agent's servers that others may have closed. Servers are asked only when one
 * is claimed, which is rare: the agent must have started it.
 */
export async function findSharedServers(
  observation: Observation,
): Promise<Pick<Observation, 'sharedServers' | 'wasShared' | 'closedWindows'>> {
  const found: SharedServer[] = []
  const closedWindows = [...(observation.closedWindows ?? [])]
  let wasShared = false
  if (![...observation.table.values()].some(process => mayBeAgents(process, observation)))
    return { sharedServers: found, closedWindows }
  const checked = new Set<number>()
  const isOtherAgents = otherAgents(observation.ref, observation.agents)
  // A server in a session of others is theirs too, so each find changes the claims.
  for (;;) {
    const { claimed, spared } = claim({ ...observation, sharedServers: found })
    const homes = spared.filter(({ sparedFor }) => sparedFor === 'agents-home')
    const server = [...claimed.values(), ...homes].find(
      ({ process }) => !checked.has(process.pid) && isServer(process, observation),
    )?.process
    if (!server)
      return { sharedServers: found, wasShared: wasShared || handsOn(observation, checked), closedWindows }
    checked.add(server.pid)
    // What tmux started on the server itself is claimed by descent, and its client may be anybody's.
    const { claimed: apart } = claim({
      ...observation,
      sharedServers: [...found, { ...EMPTY, server }],
    })
    if (isScreenServer(server)) {
      closedWindows.push(closedInScreen(server, observation.table))
      const screen = sharedScreen(server, observation.table, pid => apart.has(pid))
      if (screen) found.push(screen)
      continue
    }
    const asked = await ask(server)
    closedWindows.push(...closedOnServer(server, asked))
    const agents = betweenServerAndAgents(observation.table, server, isOtherAgents)
    const shared = sharedServer(server, observation.table, asked, pid => apart.has(pid), agents)
    if (shared) found.push(shared)
    else if ((asked?.server.sessionsOpened ?? 0) > 1) wasShared = true
  }
}

/** True when a tmux server has the agent's marker, so that whoever uses it has it too, and is not known to be the agent's. */
function handsOn({ ref, entry, table, location }: Observation, checked: ReadonlySet<number>): boolean {
  const isMarked = namesAgent(ref, entry)
  return [...table.values()].some(
    one =>
      isMarked(one.environment.marker) &&
      one.pid !== location.server?.pid &&
      !checked.has(one.pid) &&
      isTmuxServer(one, table),
  )
}

const EMPTY = { own: new Map(), ownSessions: new Set<number>(), othersSessions: new Set<number>(), why: '' }

/** False for a server that nothing can tie to an agent: started from outside of tmux and of every agent, and adopted by process 1. */
const mayBeAgents = (process: SeenProcess, observation: Observation): boolean =>
  process.pid !== observation.location.server?.pid &&
  (process.environment.marker !== undefined ||
    process.environment.tmux !== undefined ||
    process.ppid !== 1 ||
    observation.contained.cgroup?.members.has(process.pid) === true) &&
  isServer(process, observation)

const isServer = (process: SeenProcess, { table }: Observation): boolean =>
  isTmuxServer(process, table) || isScreenServer(process)

/** Undefined where the server gives no certain answer: it is stopped, say, or its socket was deleted. */
async function ask(process: SeenProcess): Promise<Asked | undefined> {
  if (isStopped(process)) return undefined
  const { pid } = process
  for (const socket of socketsListenedToBy(pid)) {
    try {
      const server = await readServer(socket, pid)
      if (server?.pid !== pid) continue
      const isShown = server.sessions.some(({ attached }) => attached > 0)
      return { server, clients: isShown ? await readClients(server) : [] }
    } catch {
      // The birthplaces of what runs in its panes are known all the same.
    }
  }
  return undefined
}
