import path from 'node:path'
import { isJson, SMALL_BYTES } from '../../platform/files/json.ts'
import { readRegular } from '../../platform/files/regular-file.ts'
import { ownUid } from '../../platform/files/trust.ts'
import { parseJson } from '../../platform/json/parse.ts'
import { readWholeEnvironment } from '../../platform/processes/environment.ts'
import { isOurs } from '../../platform/processes/owner.ts'
import { asSessionId, asTaskId } from '../../registry/stream-log.ts'

/** A session of a background service, as the service recorded it. The file is the user's, and an agent can write it too. */
export interface Job {
  id: string
  sessionId: string | undefined
  /** The sessions of claude from which it was started; empty for one that a person started; undefined where it is not recorded. */
  launchedBy: readonly string[] | undefined
  /** The pids of its host and of its worker, each with its start time. */
  host: RecordedProcess
  worker: RecordedProcess
}

interface RecordedProcess {
  pid: unknown
  /** In clock ticks since boot, as text. */
  start: unknown
}

/** Claude's configuration folder (`~/.claude`) for a process of our user; undefined where its environment does not tell. */
export function configurationOf(pid: number): string | undefined {
  const environment = isOurs(pid) ? readWholeEnvironment(pid) : undefined
  const home = environment?.get('HOME')
  const folder = environment?.get('CLAUDE_CONFIG_DIR') ?? (home && path.join(home, '.claude'))
  return folder !== undefined && path.isAbsolute(folder) ? folder : undefined
}

/** The jobs in the roster of the service that uses a configuration folder; none where it cannot be read. */
export function readRoster(configuration: string): Job[] {
  try {
    const file = path.join(configuration, 'daemon', 'roster.json')
    const roster = parseJson(readRegular(file, ownUid(), SMALL_BYTES).toString('utf8'))
    const workers = isJson(roster) && isJson(roster.workers) ? roster.workers : {}
    return Object.entries(workers).flatMap(([id, worker]) =>
      asTaskId(id) !== undefined && isJson(worker) ? [jobOf(id, worker)] : [],
    )
  } catch {
    return []
  }
}

function jobOf(id: string, worker: Record<string, unknown>): Job {
  const { pid, procStart, replPid, replProcStart, sessionId, dispatch } = worker
  const environment = isJson(dispatch) && isJson(dispatch.env) ? dispatch.env : {}
  const launchers = environment.CLAUDE_CODE_LAUNCHED_BY_SESSION_IDS
  return {
    id,
    sessionId: asSessionId(sessionId),
    launchedBy: typeof launchers === 'string' ? launchers.split(',').filter(Boolean) : undefined,
    host: { pid, start: procStart },
    worker: { pid: replPid, start: replProcStart },
  }
}
