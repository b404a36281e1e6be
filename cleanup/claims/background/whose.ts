import path from 'node:path'
import { folderOf } from '../../platform/processes/details.ts'
import { readWholeEnvironment } from '../../platform/processes/environment.ts'
import type { Identity } from '../../platform/processes/identity.ts'
import { USER_HZ } from '../../platform/processes/stat.ts'
import type { ProcessTable, SeenProcess } from '../../platform/processes/table.ts'
import type { AgentEntry } from '../../registry/entries.ts'
import type { AgentRef } from '../../registry/layout.ts'
import { namesAgent } from '../../registry/marker.ts'
import { loggedSession } from '../../registry/stream-log.ts'
import { configurationOf, type Job, readRoster } from './roster.ts'
import { placeInService, type Session, sessionsBelow } from './service.ts'

/** Whose a background session is: the agent's, somebody else's, or nothing shows whose. */
type Whose = 'agent' | 'other' | 'unknown'

/** A background session, and whose it is. */
export interface JudgedSession extends Session {
  /** Its id for `claude stop`; undefined where the roster does not list it. */
  id: string | undefined
  whose: Whose
  /** True where the roster records who asked for it. Otherwise only whose the service is tells whose it may be. */
  isRecorded: boolean
}

/** An agent, as far as its background sessions need it. */
export interface Launcher {
  ref: AgentRef
  /** Its stream log, which names its session. */
  log: string
  table: ProcessTable
  /** The agent's entry. What was learnt of the agent's sessions is kept with it, because its log moves and its processes end. */
  entry: AgentEntry
}

/** Within how many ms of its supervisor the host was started that has the session for which there is a supervisor at all. */
const FIRST_WITHIN_MS = 2_000

/**
 * Tells whose the sessions of background services are. A service hands its own environment to all of them, so the marker and
 * descent do not tell. Its roster records the claude session that asked for each; it counts only for a process that has the
 * recorded pid and start time. Where the roster has no record, only the session that the service was started for is known:
 * it is the only one, its host is as old as the service, and it works where the service was started.
 */
export class BackgroundServices {
  readonly #agent: Launcher
  readonly #rosters = new Map<string, readonly Job[]>()
  #sessions: ReadonlySet<string> | undefined

  constructor(agent: Launcher) {
    this.#agent = agent
  }

  /** True for a process that belongs to a service, or to a session, which is not the agent's alone. */
  isShared(process: SeenProcess): boolean {
    const place = placeInService(process, this.#agent.table)
    if (place) return this.sessionsOf(place.root).some(({ whose }) => whose !== 'agent')
    return this.#isLeftByOthers(process)
  }

  /** The sessions below a supervisor, or in an orphaned host. */
  sessionsOf(root: SeenProcess): JudgedSession[] {
    const jobs = this.#rosterAt(configurationOf(root.pid))
    const sessions = sessionsBelow(root, this.#agent.table)
    return sessions.map(session => {
      const job = jobs.find(
        one => isRecorded(session.worker, one.worker) || isRecorded(session.host, one.host),
      )
      const whose = job?.launchedBy
        ? this.#whoseLaunched(job.launchedBy, jobs)
        : sessions.length === 1 && isFirst(session, root)
          ? 'agent'
          : 'unknown'
      return { ...session, id: job?.id, whose, isRecorded: job?.launchedBy !== undefined }
    })
  }

  /**
   * True for a process that has outlived its worker, unless the roster lists its job as the agent's. Its initial environment
   * names the job. That of an agent does too, if its orchestrator runs in a background session of the user's; but what
   * lives in a pane has TMUX, which no host passes on, and what its claude started has a session of its own.
   */
  #isLeftByOthers({ environment: { job: folder, session, tmux } }: SeenProcess): boolean {
    if (folder === undefined || tmux !== undefined || !path.isAbsolute(folder)) return false
    const jobs = this.#rosterAt(path.dirname(path.dirname(folder)))
    const job = jobs.find(({ id }) => id === path.basename(folder))
    if (session !== undefined && job?.sessionId !== undefined && session !== job.sessionId) return false
    return !job?.launchedBy || this.#whoseLaunched(job.launchedBy, jobs) !== 'agent'
  }

  /** A session that a session of the agent's has started is the agent's too. */
  #whoseLaunched(launchedBy: readonly string[], jobs: readonly Job[]): Whose {
    const own = new Set(this.#agentSessions())
    for (let size = -1; size !== own.size; ) {
      size = own.size
      for (const job of jobs)
        if (job.sessionId !== undefined && job.launchedBy?.some(id => own.has(id))) own.add(job.sessionId)
    }
    return launchedBy.some(id => own.has(id)) ? 'agent' : 'other'
  }

  #rosterAt(configuration: string | undefined): readonly Job[] {
    if (configuration === undefined) return []
    const jobs = this.#rosters.get(configuration) ?? readRoster(configuration)
    this.#rosters.set(configuration, jobs)
    return jobs
  }

  #agentSessions(): ReadonlySet<string> {
    this.#sessions ??= sessionsOfAgent(this.#agent)
    return this.#sessions
  }
}

const known = new WeakMap<object, ReadonlySet<string>>()

/** The sessions of an agent's claudes: by its log, also an archived one, and by the environments of its own processes. */
function sessionsOfAgent({ ref, log, table, entry }: Launcher): ReadonlySet<string> {
  const archived = path.join(path.dirname(path.dirname(log)), 'archive', path.basename(log))
  const isOwn = namesAgent(ref, entry)
  const inEnvironments = [...table.values()].flatMap(one => {
    const { marker, session, job } = one.environment
    const isOfAgent = session !== undefined && job === undefined && isOwn(marker)
    return isOfAgent && !placeInService(one, table) ? [session] : []
  })
  const inLog = loggedSession(log).id ?? loggedSession(archived).id
  const all = new Set([
    ...(known.get(entry) ?? []),
    ...(inLog === undefined ? [] : [inLog]),
    ...inEnvironments,
  ])
  known.set(entry, all)
  return all
}

const isRecorded = ({ pid, start }: Identity, recorded: Job['host']): boolean =>
  recorded.pid === pid && recorded.start === String(start)

/** True for the session that a service was started for, if that has no other. */
function isFirst({ host, worker }: Session, root: SeenProcess): boolean {
  const isAsOld = host !== root && ((host.start - root.start) / USER_HZ) * 1_000 <= FIRST_WITHIN_MS
  return isAsOld && folderOf(worker.pid) === readWholeEnvironment(root.pid)?.get('PWD')
}
