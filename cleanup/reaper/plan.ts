import { type AgentOrigin, originOfAgent } from '../claims/agent-origin.ts'
import { describeSharedServices } from '../claims/background/describe.ts'
import { claim, isInside } from '../claims/claim.ts'
import { type Claim, type Claims, type Evidence, isTied } from '../claims/evidence.ts'
import { logWriters } from '../claims/log-writers.ts'
import type { Observation } from '../claims/observation.ts'
import { observe } from '../claims/observe.ts'
import { type PipelineRole, pipelineRoles } from '../claims/pipeline-roles.ts'
import { describeServiceClients } from '../claims/service-clients.ts'
import { describeFile, type FileEntry } from '../platform/files/file-entry.ts'
import { statAt } from '../platform/files/stat-at.ts'
import { limitMet } from '../platform/limits.ts'
import { ageMs, commandOf } from '../platform/processes/details.ts'
import { residentBytesOf } from '../platform/processes/memory.ts'
import { uidOf } from '../platform/processes/owner.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { isAlive, type SeenProcess } from '../platform/processes/table.ts'
import { agentFiles } from '../registry/agent-files.ts'
import type { TaskRegistry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { filesToArchive, filesToRemove, whyNotArchived } from './archive-files.ts'
import { findClaudeLeftovers } from './claude-leftovers/find.ts'
import type { ClaudeLeftover, ClaudeLeftovers } from './claude-leftovers/leftover.ts'
import { EarlierRestarts } from './earlier-restarts.ts'
import { graceFor } from './grace.ts'
import { HeldLogs } from './held-logs.ts'
import { describeRestart, supervisors } from './supervisors.ts'

/** One agent's cleanup, decided and not begun: execute.ts carries it out, describePlan shows it. */
export interface PlannedCleanup {
  observation: Observation
  claims: Claims
  origin: AgentOrigin
  roleOf: (claim: Claim) => PipelineRole
  claudeLeftovers: ClaudeLeftovers
  /** What somebody outside has started since an earlier cleanup: it is not in `claims`, and gets no signal. */
  earlierRestarts: EarlierRestarts
  leftRunning: { claim: Claim; by: SeenProcess | 'unknown' }[]
  /** False for a session that no task's registry lists: nothing ties a task's files to it. */
  hasFiles: boolean
  /** True when the work is handed to a process outside, because this one is part of the agent. */
  handsOver: boolean
  /** The agent's grace, in ms, where its caller names none. */
  graceMs: number
}

/** What a cleanup of one agent would do now, for people and as JSON. */
export interface Plan {
  /** In the order in which they are asked to end. */
  end: PlannedProcess[]
  session?: { id: string; name: string; socket: string }
  /** The limit that keeps tmux clients from starting: tmux is asked about the session after the processes have ended. */
  tmuxLimit?: string
  remove: FileEntry[]
  /** Files that the agent's claude leaves when it is killed; it removes most of them itself when it ends on TERM. */
  claudeLeftovers: ClaudeLeftover[]
  archive: FileEntry[]
  /** What is lost with the agent's processes, in sentences. */
  loses: string[]
  /** What stays although it seems to be the agent's, and why. */
  stays: string[]
  handsOver: boolean
  /** The agent's grace, in ms, where its caller names none. */
  graceMs: number
}

export interface PlannedProcess {
  pid: number
  start: number
  ppid: number
  comm: string
  command: string
  role: PipelineRole
  evidence: Evidence[]
  /** How long ago it started, in ms. */
  ageMs: number
  memoryBytes?: number
}

const ORDER: PipelineRole[] = ['producer', 'other', 'filter', 'log-writer', 'pane', 'pipe-pane']

/** Plans the cleanup of a listed agent. Changes nothing; throws a CleanupError for what cannot be read or asked. */
export async function planFor(ref: AgentRef, registry: TaskRegistry): Promise<PlannedCleanup> {
  return planCleanup(await observe(ref, registry))
}

/**
 * Plans a cleanup. claude's leftovers are listed now, because much of what ties them to the agent only its living processes
 * shows. `handedOver`: this process was started to be outside the agent. `isRetry`: nobody asked for it since an earlier one.
 */
export function planCleanup(
  observation: Observation,
  { handedOver = false, isRetry = false } = {},
): PlannedCleanup {
  const planned = planSession(observation, claim(observation), isRetry)
  const { claims } = planned
  const claudeLeftovers = findClaudeLeftovers(observation, claims)
  return {
    ...planned,
    claudeLeftovers,
    hasFiles: true,
    handsOver: isInside(claims, handedOver),
  }
}

/** Plans the end of a session that no registry lists, and of what runs in it; no file is touched. */
export function planSession(
  observation: Observation,
  all = claim(observation),
  isRetry = false,
): PlannedCleanup {
  const { entry, table } = observation
  const earlierRestarts = new EarlierRestarts(entry, supervisors(observation, all), all, isRetry)
  const claims = { ...all, claimed: new Map(all.claimed) }
  const leftRunning: PlannedCleanup['leftRunning'] = []
  for (const one of [...all.claimed.values()].sort((a, b) => a.process.start - b.process.start)) {
    const by = earlierRestarts.startedBy(one, table)
    if (!by) continue
    leftRunning.push({ claim: one, by })
    claims.claimed.delete(one.process.pid)
  }
  return {
    observation,
    claims,
    earlierRestarts,
    leftRunning,
    origin: originOfAgent(observation, claims),
    roleOf: pipelineRoles(observation, claims),
    claudeLeftovers: { going: [], stays: [], session: undefined, places: { folders: [], bases: [] } },
    hasFiles: false,
    handsOver: isInside(claims),
    graceMs: graceFor(claims.claimed),
  }
}

/** A plan with what people want to know of each process and file, and without the files that do not exist. */
export function describePlan(planned: PlannedCleanup): Plan {
  const { observation, claims, claudeLeftovers, hasFiles, handsOver, graceMs, leftRunning } = planned
  const { location, contained, log } = observation
  const tmuxLimit = limitMet(location.tmuxError)
  const files = hasFiles ? agentFiles(observation.ref, observation.entry) : undefined
  using held = new HeldLogs(observation, claims, hasFiles)
  const writer = files && logWriters(observation.openFiles, log).find(({ pid }) => !claims.claimed.has(pid))
  return {
    end: describeProcesses(planned),
    ...(location.session && {
      session: { id: location.session.id, name: location.session.name, socket: location.socket },
    }),
    ...(tmuxLimit !== undefined && { tmuxLimit }),
    remove: [
      ...(files ? filesToRemove(files) : []),
      ...(contained.cgroup ? [contained.cgroup.path] : []),
    ].flatMap(describeFile),
    claudeLeftovers: claudeLeftovers.going,
    archive: [
      ...(files ? filesToArchive(files) : [])
        .filter(file => !(writer && file === log) && describeNotArchived(file).length === 0)
        .flatMap(describeFile),
      ...held.nameless(),
    ],
    loses: held.unsavable(),
    stays: [
      ...(files ? filesToArchive(files) : []).flatMap(describeNotArchived),
      ...(writer ? [`${log}: process ${writer.pid}, which is not claimed, writes it`] : []),
      ...leftRunning
        .filter(({ claim: { process } }) => !leftRunning.some(one => one.claim.process.pid === process.ppid))
        .map(one => describeRestart(one.claim, one.by)),
      ...(observation.sharedSession ? [observation.sharedSession.why] : []),
      ...observation.sharedServers.map(({ why }) => why),
      ...describeOtherUsers(claims),
      ...Object.values(describeSharedServices(observation, claims)).flat(),
      ...describeServiceClients(claims),
      ...claudeLeftovers.stays,
    ],
    handsOver,
    graceMs,
  }
}

function describeNotArchived(file: string): string[] {
  const found = statAt(file)
  const why = found && whyNotArchived(found)
  return why === undefined ? [] : [`${file}: ${why}; until then, this cleanup is not finished.`]
}

function describeProcesses({ claims, roleOf }: PlannedCleanup): PlannedProcess[] {
  const all = [...claims.claimed.values()].filter(({ process }) => !hasEnded(process))
  const described = all.map((claimed): PlannedProcess => {
    const { pid, start, ppid, comm } = claimed.process
    const memoryBytes = residentBytesOf(pid)
    return {
      pid,
      start,
      ppid,
      comm,
      command: commandOf(claimed.process),
      role: roleOf(claimed),
      evidence: claimed.evidence,
      ageMs: ageMs(claimed.process),
      ...(memoryBytes && { memoryBytes }),
    }
  })
  return described.sort((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || a.pid - b.pid)
}

/**
 * Names each living process of another user that is part of the agent (a `sudo` child) and stays. A process that only its
 * own marker or log ties to the agent is not part of it. Takes the claims of several scans, because a process loses its
 * ties when the agent's own processes end.
 */
export function describeOtherUsers(...scans: Claims[]): string[] {
  const tied = scans
    .flatMap(({ spared }) => spared)
    .filter(one => one.sparedFor === 'other-user' && isTied(one) && isAlive(one.process))
  return [...new Map(tied.map(({ process: { pid, comm } }) => [pid, comm]))].map(
    ([pid, comm]) =>
      `Process ${pid} (${comm}) of user ${uidOf(pid)} is still there: it belongs to another user, and only the processes of the workspace’s owner are ended.`,
  )
}
