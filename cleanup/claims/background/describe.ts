import { hasEnded } from '../../platform/processes/stat.ts'
import type { SeenProcess } from '../../platform/processes/table.ts'
import type { Claims } from '../evidence.ts'
import type { Observation } from '../observation.ts'
import { placeInService, serviceRoots } from './service.ts'
import { BackgroundServices, type JudgedSession } from './whose.ts'

/** What is left running of background services that are not the agent's alone, in sentences. */
export interface SharedServices {
  /** The agent's own sessions in a service that it started. */
  problems: string[]
  /** What a person should know. */
  notes: string[]
}

/**
 * Names what a cleanup leaves running of background services of claude. The agent's own session in a service that serves
 * others is left too: the supervisor would start it again some seconds later, and ending that would end the others.
 */
export function describeSharedServices(
  observation: Observation,
  { claimed, spared }: Claims,
): SharedServices {
  const { table } = observation
  const found: SharedServices = { problems: [], notes: [] }
  const left = spared.filter(one => one.sparedFor === 'background-service' && !hasEnded(one.process))
  const services = serviceRoots(table).filter(({ pid }) => !claimed.has(pid))
  if (left.length + services.length === 0) return found
  const background = new BackgroundServices(observation)
  for (const root of services) {
    const isAgents = left.some(({ process }) => process.pid === root.pid)
    const sessions = background.sessionsOf(root)
    // In a service that is not the agent's, only the roster ties them to the agent.
    const own = sessions.filter(({ whose, isRecorded }) => whose === 'agent' && (isAgents || isRecorded))
    const others = sessions.filter(({ whose }) => whose !== 'agent')
    if (isAgents && others.length > 0)
      found.notes.push(
        `Process ${root.pid} (${root.comm}), a background service of claude that the agent started, is left running: it serves ${others.map(named).join(', ')}.`,
      )
    const to = isAgents ? found.problems : found.notes
    to.push(...own.map(one => ownSession(one, root)))
  }
  const orphans = left.filter(({ process }) => !placeInService(process, table))
  for (const { process } of orphans) found.notes.push(orphan(process))
  return found
}

function ownSession({ id, worker }: JudgedSession, root: SeenProcess): string {
  const end = id === undefined ? '' : `; end it with "claude stop ${id}"`
  return `Process ${worker.pid} (${worker.comm}) is still there: the agent started it as a session in the background service ${root.pid}, which serves others too and would start it again${end}.`
}

function named({ id, worker, whose }: JudgedSession): string {
  const who = whose === 'other' ? 'which the agent did not start' : 'and nothing shows who started that'
  return `${id === undefined ? 'a session' : `the session ${id}`} (process ${worker.pid}), ${who}`
}

const orphan = ({ pid, comm }: SeenProcess): string =>
  `Process ${pid} (${comm}) is left running: a background session of claude started it, and nothing shows that this session was the agent's.`
