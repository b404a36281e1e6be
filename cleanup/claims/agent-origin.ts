import { pipeInto } from '../platform/processes/channels.ts'
import { readWholeEnvironment } from '../platform/processes/environment.ts'
import type { KnownEnvironments } from '../platform/processes/environment-origin.ts'
import { loginOf, unitOf } from '../platform/processes/origin.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import { earliestByLog } from './age.ts'
import type { Claims } from './evidence.ts'
import type { Observation } from './observation.ts'
import { ownLogDescriptors } from './own-logs.ts'

/** Where an agent was started, as its living processes show it. To be read before they are ended. */
export interface AgentOrigin extends Pick<KnownEnvironments, 'panes' | 'server'> {
  /** Whoever adopted the tmux server, which became a daemon, adopts the orphans below it too, whatever it is called. */
  adopter: number | undefined
  units: ReadonlySet<string>
  logins: ReadonlySet<string>
  /** When the agent began, in ms since 1970, by its session and its log: the later counts, because an earlier run may have begun either. */
  beganMs: number | undefined
  /** The pipes that its log-writers read, as the kernel names them. Whoever writes into one has inherited that. */
  pipes: ReadonlySet<string>
}

/** Of how many panes the environment is read: they differ in little. */
const MOST_PANES = 3

export function originOfAgent(observation: Observation, claims: Claims): AgentOrigin {
  const { table, location } = observation
  const { claimed } = claims
  const server = table.get(location.server?.pid ?? -1)
  const panes = [...claimed.values()]
    .filter(({ evidence, process }) => evidence.some(({ kind }) => kind === 'pane') && !hasEnded(process))
    .slice(0, MOST_PANES)
    .map(({ process }) => process)
  const known = [...(server ? [server] : []), ...panes]
  const created = location.session && location.session.created * 1_000
  const times = [created, earliestByLog(observation.log)].filter(time => time !== undefined)
  const each = <T>(of: (pid: number) => T | undefined) => new Set(known.flatMap(({ pid }) => of(pid) ?? []))
  return {
    panes: environmentsOf(panes),
    server: environmentsOf(server ? [server] : []),
    adopter: server && server.pid === server.sid ? server.ppid : undefined,
    units: each(unitOf),
    logins: each(loginOf),
    beganMs: times.length > 0 ? Math.max(...times) : undefined,
    pipes: new Set(ownLogDescriptors(observation, claims).flatMap(({ pid }) => pipeInto(pid) ?? [])),
  }
}

const environmentsOf = (processes: readonly SeenProcess[]) =>
  processes.flatMap(one => environmentOf(one) ?? [])

const environments = new WeakMap<SeenProcess, ReturnType<typeof readWholeEnvironment>>()

/** A server is that of many agents. */
function environmentOf(process: SeenProcess) {
  const found = environments.get(process) ?? readWholeEnvironment(process.pid)
  environments.set(process, found)
  return found
}
