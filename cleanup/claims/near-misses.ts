import { pid as ownPid } from 'node:process'
import { selfAndAncestors } from '../platform/processes/ancestry.ts'
import { commandOf } from '../platform/processes/details.ts'
import { isOpenForWriting } from '../platform/processes/open-files.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import { isDone } from '../registry/lifecycle.ts'
import { namesAgent } from '../registry/marker.ts'
import type { Claims, Spared, SparedFor } from './evidence.ts'
import { processStartedAgain } from './leftovers/started-again.ts'
import type { Observation } from './observation.ts'
import { mentions } from './suspect.ts'
import { findSuspects } from './suspects.ts'

/** A process that resembles one of the agent's and is left alone. */
export interface NearMiss {
  pid: number
  start: number
  comm: string
  command: string
  resemblances: string[]
  /** Why it is not claimed. */
  reason: string
}

/** Why a process is spared, for people. */
export const SPARED: Record<SparedFor, string> = {
  cleaner: 'it is this program, or one of its parents',
  'adopted-cleaner': 'it is this program, which a subreaper of the agent has adopted',
  'tmux-server':
    'it is a tmux server with a session of an agent: it may hold others’ sessions, so a cleanup closes only the agent’s',
  'other-agent': 'it belongs to another agent that a registry lists: the innermost one counts',
  'several-agents': 'it writes the logs of several agents, so no log makes it an agent’s',
  older:
    'it began before the agent, so it counts as an orchestrator that writes the log, and not as part of the agent',
  'others-writer':
    'it is tied to the agent only by writing its log, and was started by a living process, tmux server, login or service of somebody else',
  fed: 'it writes to the log what it reads from a living process that may be somebody else’s, and ending it would break their pipe',
  'background-service':
    'it is in a background service of claude (claude --bg) that also serves others, or in a session there that may be somebody else’s',
  'in-use': 'it is in a session or pane that may be somebody else’s, or it is the tmux server that holds one',
  'agents-home':
    'another agent lives on it: it is a tmux server, or lies between one and an agent that a registry lists',
  'handed-on':
    'others may have started it: everything that is started where somebody else lives, or lived, gets the same marks',
  'other-user': 'it belongs to another user, and only the processes of the workspace’s owner are ended',
}

/** Finds what is not claimed although it resembles the agent's. Reads every command line: to be called only for people. */
export function findNearMisses(observation: Observation, claims: Claims): NearMiss[] {
  const spared = claims.spared.map(describeSpared)
  const suspects = findSuspects(observation, claims).map(({ ageMs: _, ...one }) => ({
    ...one,
    reason:
      'nothing ties it to the agent: no parent, terminal, session, environment, log or containment that is the agent’s',
  }))
  const described = new Set([
    ...claims.claimed.keys(),
    ...spared.map(({ pid }) => pid),
    ...suspects.map(({ pid }) => pid),
  ])
  // `leakrig explain <agent>` and the shell that runs it have the id in their arguments.
  const callers = new Set(selfAndAncestors(observation.table, ownPid))
  const others = [...observation.table.values()].flatMap(process => {
    if (described.has(process.pid) || process.kernel) return []
    const command = commandOf(process)
    const [resemblance, reason] = compare(observation, process, callers.has(process) ? '' : command)
    return resemblance && reason ? [{ ...short(process), command, resemblances: [resemblance], reason }] : []
  })
  return [...spared, ...suspects, ...others]
}

function describeSpared({ process, evidence, sparedFor }: Spared): NearMiss {
  const resemblances = evidence.map(({ kind, detail }) => `${kind}: ${detail}`)
  return { ...short(process), command: commandOf(process), resemblances, reason: SPARED[sparedFor] }
}

function compare(
  observation: Observation,
  process: SeenProcess,
  command: string,
): [resemblance?: string, reason?: string] {
  const { ref, entry, table, location } = observation
  const opened = (observation.openFiles.get(observation.log) ?? []).filter(({ pid }) => pid === process.pid)
  if (opened.length > 0 && !opened.some(isOpenForWriting))
    return ['it has the agent’s log open', 'it only reads the log, which does not make it part of the agent']
  if (location.session && process.pid === location.server?.pid)
    return [
      'it is the tmux server of the agent’s session',
      'nothing shows that the agent started it, and a cleanup closes only the agent’s session',
    ]
  const { marker } = process.environment
  if (isDone(entry) && namesAgent(ref, entry)(marker))
    return [
      `it carries the agent’s marker (LEAKRIG_AGENT=${marker})`,
      processStartedAgain(ref, entry, process, { table, isInSession: true }) ??
        'the agent’s cleanup is done, and has left it',
    ]
  if (process.comm === 'claude')
    return ['it is named claude', `a name is not evidence, and ${otherEvidence(process)}`]
  if (mentions(command, ref.agentId))
    return [
      'its arguments contain the agent’s id',
      `an argument is not evidence, and ${otherEvidence(process)}`,
    ]
  return []
}

const otherEvidence = ({ environment }: SeenProcess): string =>
  environment.readable
    ? 'nothing else ties it to the agent'
    : 'its environment, which might tie it to the agent, could not be read'

const short = ({ pid, start, comm }: SeenProcess) => ({ pid, start, comm })
