import os from 'node:os'
import path from 'node:path'
import { realWorkspace } from '../platform/files/real-path.ts'
import { isOrphan } from '../platform/processes/ancestry.ts'
import { beganMs, commandOf, folderOf } from '../platform/processes/details.ts'
import { readWholeEnvironment } from '../platform/processes/environment.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import { isTerminal } from '../registry/lifecycle.ts'
import { namesAgent } from '../registry/marker.ts'
import { loggedFolder } from '../registry/stream-log.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import { recordedTmux, tmuxVariable } from '../tmux/recorded.ts'
import { earliestByLog, isOlder } from './age.ts'
import type { Observation } from './observation.ts'
import { otherAgents } from './other-agents.ts'
import { placeOf } from './place.ts'
import { mentions } from './suspect.ts'

/*
 * What an agent has a tmux server start for a session that is not its own: a session that it opens on the user's server
 * (`tmux new-session -d`), a window or pane in the user's session, a job for it (`run-shell -t`). The server gives it the
 * environment of that session, and the user can start the same by hand. So it is named at most, and only if it began while
 * the agent lived and in a folder of the agent's: tmux starts it in the folder of the client that asked for it. Panes are
 * named only if nobody has looked at them (unseen-panes.ts): whoever opens one by hand looks at it.
 */

/** How long after an agent's recorded end, in ms, something may have begun that it started: the end is recorded in its last moments. */
const AFTER_END_MS = 10_000

/** Tells which processes in somebody else's session began while an agent lived and bear nothing that says whose they are. */
export function mayBeStartedBy(observation: Observation): (process: SeenProcess) => boolean {
  const { ref, entry, agents, location } = observation
  const isMarked = namesAgent(ref, entry)
  const isOthers = otherAgents(ref, agents)
  const { isOwn } = placeOf(observation)
  const recorded = recordedTmux(entry)
  const birth = recorded && tmuxVariable(recorded.socket, recorded.server_pid, recorded.session_id)
  const own =
    location.session &&
    location.server &&
    tmuxVariable(location.socket, location.server.pid, location.session.id)
  const { latest } = parseTimestamp(
    isTerminal(entry.status) ? (entry.completed_at ?? entry.terminated_at) : undefined,
  )
  // Without a record, the registry's time may be minutes off. An agent begins its log at once.
  const begun = recorded ? undefined : earliestByLog(observation.log)
  return process => {
    const { tmux, marker, sharesPids } = process.environment
    if (tmux === undefined || !sharesPids || tmux === birth || tmux === own || isOwn(process.environment))
      return false
    if (marker !== undefined && !isMarked(marker)) return false
    return (
      isOlder(observation, process) === false &&
      !(begun !== undefined && beganMs(process) < begun) &&
      !(beganMs(process) > latest + AFTER_END_MS) &&
      !isOthers(process)
    )
  }
}

/** Tells which folder of the agent's a process works in, or was started in; undefined for none. */
export function agentsFolderOf(observation: Observation): (process: SeenProcess) => string | undefined {
  let folders: readonly string[] | undefined
  return process => {
    folders ??= foldersOf(observation)
    return folders.find(folder => placesOf(process).some(one => isWithin(folder, one)))
  }
}

const placesByProcess = new WeakMap<SeenProcess, string[]>()

/** The folders that a process works in and was started in. All cleanups that share a table, which may be hundreds, read them once. */
function placesOf(process: SeenProcess): string[] {
  const { pid, environment } = process
  // tmux puts the folder into PWD for what it starts in a pane. A job inherits the server's PWD.
  const started = () => (environment.pane === undefined ? undefined : readWholeEnvironment(pid)?.get('PWD'))
  const found = placesByProcess.get(process) ?? [folderOf(pid), started()].filter(one => one !== undefined)
  placesByProcess.set(process, found)
  return found
}

/** Where the agent's claude was started, by its log, and the project that the workspace lies in. A folder in which everything begins says nothing. */
function foldersOf({ ref, log }: Observation): string[] {
  const project = path.dirname(realWorkspace(ref.workspace))
  const common = new Set(['/', os.homedir(), os.tmpdir()])
  return [loggedFolder(log), project]
    .filter(one => one !== undefined)
    .filter(one => path.isAbsolute(one) && !common.has(path.resolve(one)))
}

const isWithin = (folder: string, one: string): boolean => one === folder || one.startsWith(`${folder}/`)

/**
 * Tells why a process may be a job that the agent had a tmux server run for a session that is not its own, or a daemon of
 * such a job; an empty list when it is not. A popup is such a job too, but has a terminal, on which somebody sees it.
 */
export function jobsElsewhere(observation: Observation): (process: SeenProcess) => string[] {
  const mayBeAgents = mayBeStartedBy(observation)
  const folderOfAgent = agentsFolderOf(observation)
  const { table, ref } = observation
  return process => {
    const { tmux, pane } = process.environment
    if (tmux === undefined || pane !== undefined || process.tty !== 0) return []
    const server = Number(/,(\d+),-?\d+$/.exec(tmux)?.[1])
    if (!(process.ppid === server || isOrphan(process, table)) || !mayBeAgents(process)) return []
    const folder = folderOfAgent(process)
    const why = [
      ...(folder === undefined ? [] : [`it works in the agent’s folder ${folder}`]),
      ...(mentions(commandOf(process), ref.agentId) ? ['its arguments contain the agent’s id'] : []),
    ]
    const how = `a tmux server has run it for another session while the agent lived, as run-shell does (TMUX=${tmux})`
    return why.length > 0 ? [how, ...why] : []
  }
}
