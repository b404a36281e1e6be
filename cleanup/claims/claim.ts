import { pid as ownPid } from 'node:process'
import { selfAndAncestors } from '../platform/processes/ancestry.ts'
import { sameProcess } from '../platform/processes/identity.ts'
import { isOurs } from '../platform/processes/owner.ts'
import type { ProcessTable, SeenProcess } from '../platform/processes/table.ts'
import { isOlder } from './age.ts'
import { directEvidence } from './direct-evidence.ts'
import { type Claim, type Claims, type Evidence, isTied, type Spared, type SparedFor } from './evidence.ts'
import { writesOtherLogs } from './log-writers.ts'
import type { Observation } from './observation.ts'
import { agentServers, otherAgents } from './other-agents.ts'

type Earlier = ReadonlyMap<number, Claim>

/**
 * Decides which processes are an agent's, and why. First what speaks for a process by itself, then what follows
 * from its relations, until nothing follows any more. `earlier` are the claims of earlier scans of one cleaning:
 * once claimed, a process stays claimed, also when its parent has ended and nothing else ties it any more.
 */
export function claim(observation: Observation, earlier: Earlier = new Map()): Claims {
  const { table } = observation
  const claimed = new Map<number, Claim>()
  const spared = new Map<number, Spared>()
  const direct = directEvidence(observation)
  // Of most agents that are gone nothing is claimed, so that nobody's relatives are asked for.
  let relatives: ReturnType<typeof relations> | undefined
  const spare = sparing(observation, earlier)
  const open: SeenProcess[] = []

  const add = (process: SeenProcess, evidence: Evidence[]): void => {
    const known = claimed.get(process.pid)
    if (known) {
      known.evidence.push(...evidence)
      return
    }
    const all = [...(spared.get(process.pid)?.evidence ?? []), ...evidence]
    const sparedFor = spare(process, all)
    if (sparedFor) {
      const before = spared.get(process.pid)
      const now = { process, evidence: all, sparedFor }
      spared.set(process.pid, now)
      // What another user's process has started for the agent is the agent's (`sudo`), and may be ours again.
      if (sparedFor === 'other-user' && isTied(now) && !(before && isTied(before))) open.push(process)
      return
    }
    spared.delete(process.pid)
    claimed.set(process.pid, { process, evidence: all })
    open.push(process)
  }

  for (const process of table.values()) {
    if (process.pid === 1 || process.kernel) continue
    const evidence = [...direct(process), ...fromEarlier(process, table, earlier)]
    if (evidence.length > 0) add(process, evidence)
  }
  for (let next = open.pop(); next; next = open.pop()) {
    relatives ??= relations(observation)
    for (const [relative, evidence] of relatives(next)) add(relative, [evidence])
  }

  const unreadable = [...table.values()].filter(
    seen => seen.pid !== 1 && !seen.environment.readable && !claimed.has(seen.pid),
  )
  return { claimed, spared: [...spared.values()], unreadable }
}

/** Who follows from a claimed process: its children, and the members of a session that it has opened. */
function relations({ table, contained }: Observation): (of: SeenProcess) => [SeenProcess, Evidence][] {
  const children = Map.groupBy(table.values(), process => process.ppid)
  const members = Map.groupBy(table.values(), process => process.sid)
  // The subreaper has one child of its own, the oldest; the others it adopted.
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

/** What earlier scans of this cleaning say: it was claimed then, or the process that opened its session was. */
function fromEarlier(process: SeenProcess, table: ProcessTable, earlier: Earlier): Evidence[] {
  const before = earlier.get(process.pid)
  if (before?.process.start === process.start)
    return [{ kind: 'earlier-scan', detail: before.evidence[0]?.detail ?? '' }]
  const leader = earlier.get(process.sid)?.process
  // The kernel gives a session's number to nobody else while the session has members, so a leader that is gone can still be meant.
  return leader && leader.sid === leader.pid && !table.has(leader.pid) ? [sessionOf(leader)] : []
}

const sessionOf = (leader: SeenProcess): Evidence => ({
  kind: 'session',
  detail: `in the session that ${leader.comm} ${leader.pid} opened`,
})

/** Says for whom a process is spared although there is evidence; undefined when it may be claimed. */
function sparing(
  observation: Observation,
  earlier: Earlier,
): (process: SeenProcess, evidence: Evidence[]) => SparedFor | undefined {
  const chain = selfAndAncestors(observation.table, ownPid)
  const isDetached = outlivesItsParents(observation.table, chain[0])
  const cleaner = new Set(isDetached ? chain.slice(0, 1) : chain)
  const isOthers = otherAgents(observation.ref, observation.agents)
  const isServer = agentServers(observation.ref.workspace)
  // Asked for once in a cleaning, and again before each signal.
  const wasOurs = ({ pid, start }: SeenProcess) => earlier.get(pid)?.process.start === start
  return (process, evidence) => {
    if (process.pid === observation.location.server?.pid || isServer(process)) return 'tmux-server'
    if (isOthers(process)) return 'other-agent'
    const onlyLog = evidence.every(({ kind }) => kind === 'log')
    if (onlyLog && writesOtherLogs(observation.openFiles, observation.log, process.pid))
      return 'several-agents'
    if (onlyLog && isOlder(observation, process)) return 'older'
    if (!cleaner.has(process)) return wasOurs(process) || isOurs(process.pid) ? undefined : 'other-user'
    return isDetached && evidence.every(({ kind }) => ADOPTION.has(kind)) ? 'adopted-cleaner' : 'cleaner'
  }
}

/** What ties a process to an agent whose subreaper has taken it in, and nothing else does. */
const ADOPTION: ReadonlySet<Evidence['kind']> = new Set(['descent', 'subreaper'])

/**
 * True for a daemon: it has no terminal that could be hung up, and who opened its session has ended. Whoever is its
 * parent then has adopted it, and when that ends the kernel gives it another one.
 */
function outlivesItsParents(table: ProcessTable, self: SeenProcess | undefined): boolean {
  return self !== undefined && self.tty === 0 && self.sid !== self.pid && !table.has(self.sid)
}

/**
 * True when the cleaner runs inside the agent that it would end: it, or a process it runs below, is the agent's.
 * Writing the agent's log alone does not make it so; an orchestrator may well do that for its agents. `handedOver`: it
 * was started to be outside. Then an adoption does not make it so either, because it outlives that.
 */
export function isInside(claims: Claims, handedOver = false): boolean {
  return claims.spared.some(
    ({ sparedFor, evidence }) =>
      (sparedFor === 'cleaner' && evidence.some(({ kind }) => kind !== 'log')) ||
      (sparedFor === 'adopted-cleaner' && !handedOver),
  )
}
