import { pid as ownPid } from 'node:process'
import { selfAndAncestors } from '../platform/processes/ancestry.ts'
import { commandOf } from '../platform/processes/details.ts'
import { isOpenForWriting } from '../platform/processes/open-files.ts'
import type { SeenProcess } from '../platform/processes/table.ts'
import type { Claims, Spared, SparedFor } from './evidence.ts'
import type { Observation } from './observation.ts'
import { findSuspects, mentions } from './suspects.ts'

/** A process that looks like the agent's and is left alone. */
export interface NearMiss {
  pid: number
  start: number
  comm: string
  command: string
  /** What makes it look so. */
  looks: string[]
  /** Why it is not claimed nevertheless. */
  because: string
}

const SPARED: Record<SparedFor, string> = {
  cleaner: 'it is this program, or one that this program runs below',
  'adopted-cleaner': 'it is this program, which a subreaper of the agent has adopted',
  'tmux-server': 'it is the tmux server, which others live in too',
  'other-agent': 'it belongs to another agent that a registry lists: the innermost one counts',
  'several-agents': 'it writes the logs of several agents, so that a log makes it nobody’s',
  older: 'it was there before the agent, so that a log makes it an orchestrator and no part of the agent',
  'other-user': 'it belongs to another user, and only the processes of the workspace’s owner are ended',
}

/** What is not claimed although it looks similar. Reads every command line, which only a person who asks has time for. */
export function findNearMisses(observation: Observation, claims: Claims): NearMiss[] {
  const spared = claims.spared.map(one => describeSpared(one))
  const lost = findSuspects(observation, claims).map(({ ageMs: _, ...one }) => ({
    ...one,
    because:
      'nothing ties it to the agent: no parent, terminal, session, environment, log or containment that is the agent’s',
  }))
  const told = new Set([
    ...claims.claimed.keys(),
    ...spared.map(({ pid }) => pid),
    ...lost.map(({ pid }) => pid),
  ])
  // Whoever asks for an agent has its id in the arguments.
  const askers = new Set(selfAndAncestors(observation.table, ownPid))
  const others = [...observation.table.values()].flatMap(process => {
    if (told.has(process.pid) || process.kernel) return []
    const command = commandOf(process)
    const [looks, because] = resemblance(observation, process, askers.has(process) ? '' : command)
    return looks && because ? [{ ...short(process), command, looks: [looks], because }] : []
  })
  return [...spared, ...lost, ...others]
}

function describeSpared({ process, evidence, sparedFor }: Spared): NearMiss {
  const looks = evidence.map(({ kind, detail }) => `${kind}: ${detail}`)
  return { ...short(process), command: commandOf(process), looks, because: SPARED[sparedFor] }
}

function resemblance(
  observation: Observation,
  process: SeenProcess,
  command: string,
): [looks?: string, because?: string] {
  const opened = (observation.openFiles.get(observation.log) ?? []).filter(({ pid }) => pid === process.pid)
  if (opened.length > 0 && !opened.some(isOpenForWriting))
    return ['it has the agent’s log open', 'it reads the log, and reading makes nobody part of an agent']
  if (process.pid === observation.location.server?.pid)
    return ['it is the tmux server of the agent’s session', 'others live in it too']
  if (process.comm.startsWith('tmux: server'))
    return ['it is a tmux server', 'it is not one that the agent started, as far as anything tells']
  if (process.comm === 'claude')
    return ['it is named claude', `a name is no evidence, and ${unreadable(process)}`]
  if (mentions(command, observation.ref.agentId))
    return ['its arguments contain the agent’s id', `an argument is no evidence, and ${unreadable(process)}`]
  return []
}

const unreadable = ({ environment }: SeenProcess): string =>
  environment.readable
    ? 'nothing else ties it to the agent'
    : 'its environment, which might tell more, could not be read'

const short = ({ pid, start, comm }: SeenProcess) => ({ pid, start, comm })
