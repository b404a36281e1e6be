import { pid as ownPid } from 'node:process'
import { selfAndAncestors } from '../platform/processes/ancestry.ts'
import { sameProcess } from '../platform/processes/identity.ts'
import { isOurs } from '../platform/processes/owner.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { homesOfAgents } from './agents-live-in.ts'
import { BackgroundServices } from './background/whose.ts'
import { directEvidence } from './direct-evidence.ts'
import {
  type Claim,
  type Claims,
  type Evidence,
  isHandedOn,
  isOfWindow,
  isTied,
  type Spared,
  type SparedFor,
} from './evidence.ts'
import { handedOn } from './handed-on.ts'
import { spareLogHolder } from './log-holders.ts'
import type { Observation } from './observation.ts'
import { openedByHand } from './opened-by-hand.ts'
import { agentServers, otherAgents } from './other-agents.ts'
import { livesWithOthers } from './others-live-in.ts'

type Earlier = ReadonlyMap<number, Claim>

/**
 * Decides which processes are an agent's, and why: first by the evidence of each process itself, then by its relations to
 * claimed ones, until nothing new is claimed. `earlier` are the claims of earlier scans of the same cleanup: once claimed, a
 * process stays claimed, also when its parent has ended and nothing else ties it to the agent any more.
 */
export function claim(observation: Observation, earlier: Earlier = new Map()): Claims {
  const { table } = observation
  const claimed = new Map<number, Claim>()
  const spared = new Map<number, Spared>()
  const direct = directEvidence(observation)
  // Made only when a process is claimed: for most ended agents none is.
  let relatives: ReturnType<typeof relations> | undefined
  const spare = sparing(observation, earlier, claimed)
  const open: SeenProcess[] = []

  const add = (process: SeenProcess, evidence: Evidence[]): void => {
    const claim = claimed.get(process.pid)
    if (claim) {
      claim.evidence.push(...evidence)
      return
    }
    const all = [...(spared.get(process.pid)?.evidence ?? []), ...evidence]
    const sparedFor = spare(process, all)
    if (sparedFor) {
      const before = spared.get(process.pid)
      const now = { process, evidence: all, sparedFor }
      spared.set(process.pid, now)
      // The children of another user's process that runs for the agent (`sudo`) are the agent's, and may run as us again.
      if (sparedFor === 'other-user' && isTied(now) && !(before && isTied(before))) open.push(process)
      return
    }
    spared.delete(process.pid)
    claimed.set(process.pid, { process, evidence: all })
    open.push(process)
  }

  const addRelatives = (): void => {
    for (let next = open.pop(); next; next = open.pop()) {
      relatives ??= relations(observation)
      for (const [relative, evidence] of relatives(next)) add(relative, [evidence])
    }
  }

  const onlyByLog: [SeenProcess, Evidence[]][] = []
  for (const process of table.values()) {
    if (process.pid === 1 || process.kernel) continue
    const evidence = [...direct(process), ...fromEarlier(process, table, earlier)]
    if (isOnlyLog(evidence)) onlyByLog.push([process, evidence])
    else if (evidence.length > 0) add(process, evidence)
  }
  addRelatives()
  // What all else shows to be the agent's decides whether a process that only writes the log is, too.
  for (const [process, evidence] of onlyByLog) add(process, evidence)
  addRelatives()

  return { claimed, spared: [...spared.values()] }
}

/** The relatives of a claimed process: its children, and the members of a session that it has opened. */
function relations({ table, contained }: Observation): (of: SeenProcess) => [SeenProcess, Evidence][] {
  const children = Map.groupBy(table.values(), process => process.ppid)
  const members = Map.groupBy(table.values(), process => process.sid)
  // The subreaper started one child, the oldest; it adopted the others.
  const reaper = contained.subreaper && table.get(contained.subreaper.pid)
  const [ownChild] = (children.get(reaper?.pid ?? 0) ?? []).sort((a, b) => a.start - b.start || a.pid - b.pid)
  return process => {
    const below = (children.get(process.pid) ?? []).map((child): [SeenProcess, Evidence] => [
      child,
      sameProcess(process, contained.subreaper) && child !== ownChild
        ? { kind: 'subreaper', detail: `adopted by the subreaper ${process.comm} ${process.pid}` }
        : { kind: 'descent', detail: `child of ${process.comm} ${process.pid}` },
    ])
    const session = process.pid === process.sid ? (members.get(process.sid) ?? []) : []
    const within = session
      .filter(member => member !== process)
      .map((member): [SeenProcess, Evidence] => [member, sessionOf(process)])
    return [...below, ...within]
  }
}

/** The evidence of earlier scans of this cleanup: the process was claimed then, or the one that opened its session was. */
function fromEarlier(process: SeenProcess, table: ProcessTable, earlier: Earlier): Evidence[] {
  const before = earlier.get(process.pid)
  if (before?.process.start === process.start)
    return [{ kind: 'earlier-scan', detail: before.evidence[0]?.detail ?? '' }]
  const leader = earlier.get(process.sid)?.process
  // The kernel reuses no session id while the session has members, so it still names a leader that has ended.
  return leader && leader.sid === leader.pid && !table.has(leader.pid) ? [sessionOf(leader)] : []
}

const sessionOf = (leader: SeenProcess): Evidence => ({
  kind: 'session',
  detail: `in the session that ${leader.comm} ${leader.pid} opened`,
})

/** Returns why a process is spared although there is evidence; undefined when it may be claimed. */
function sparing(
  observation: Observation,
  earlier: Earlier,
  claimed: ReadonlyMap<number, Claim>,
): (process: SeenProcess, evidence: Evidence[]) => SparedFor | undefined {
  const chain = selfAndAncestors(observation.table, ownPid)
  const isDetached = outlivesItsParents(observation.table, chain[0])
  const cleaner = new Set(isDetached ? chain.slice(0, 1) : chain)
  const isOthers = otherAgents(observation.ref, observation.agents)
  const isServer = agentServers(observation.ref.workspace, observation.table)
  const background = new BackgroundServices(observation)
  const isInUse = livesWithOthers(observation)
  const isHomeOfAgents = homesOfAgents(observation.table, observation.location.server?.pid, isOthers)
  const mayBeOthers = handedOn(observation)
  const isByHand = openedByHand(observation)
  // The owner is read once in a cleanup, and again before each signal.
  const wasOurs = ({ pid, start }: SeenProcess) => earlier.get(pid)?.process.start === start
  return (process, evidence) => {
    if (process.pid === observation.location.server?.pid || isServer(process)) return 'tmux-server'
    if (isOthers(process)) return 'other-agent'
    // Once claimed, it stays claimed: its service may have ended since.
    if (!wasOurs(process) && background.isShared(process)) return 'background-service'
    if (isInUse(process)) return 'in-use'
    if (isHomeOfAgents(process)) return 'agents-home'
    if (isHandedOn(evidence) && mayBeOthers(process)) return 'handed-on'
    if (isOfWindow(evidence) && isByHand(process)) return 'handed-on'
    const otherLogHolder = isOnlyLog(evidence) && spareLogHolder(observation, process, claimed)
    if (otherLogHolder) return otherLogHolder
    if (!cleaner.has(process)) return wasOurs(process) || isOurs(process.pid) ? undefined : 'other-user'
    return isDetached && evidence.every(({ kind }) => ADOPTION.has(kind)) ? 'adopted-cleaner' : 'cleaner'
  }
}

const isOnlyLog = (evidence: readonly Evidence[]): boolean =>
  evidence.length > 0 && evidence.every(({ kind }) => kind === 'log')

/** The evidence that adoption by an agent's subreaper gives to a process that is not the agent's. */
const ADOPTION: ReadonlySet<Evidence['kind']> = new Set(['descent', 'subreaper'])

/**
 * True for a daemon: it has no terminal that could be hung up, and the leader of its session has ended. Its parent has
 * adopted it, and when that parent ends the kernel gives it another one.
 */
function outlivesItsParents(table: ProcessTable, self: SeenProcess | undefined): boolean {
  return self !== undefined && self.tty === 0 && self.sid !== self.pid && !table.has(self.sid)
}

/**
 * True when the cleaner runs inside the agent that it would end: the cleaner, or a process it runs below, is the agent's.
 * A cleaner that only writes the agent's log is not inside: an orchestrator may write its agents' logs. `handedOver`: the
 * cleaner was started to be outside. Then adoption does not put it inside either, because it outlives the adopting process.
 */
export function isInside(claims: Claims, handedOver = false): boolean {
  return claims.spared.some(
    ({ sparedFor, evidence }) =>
      (sparedFor === 'cleaner' && evidence.some(({ kind }) => kind !== 'log')) ||
      (sparedFor === 'adopted-cleaner' && !handedOver),
  )
}
