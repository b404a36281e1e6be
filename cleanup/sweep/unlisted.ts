import fs from 'node:fs'
import { findLeftoverPrompts } from '../claims/leftovers/prompts.ts'
import { logWritersOf } from '../claims/leftovers/servers.ts'
import { livePanes, markedAgent, observeSession } from '../claims/leftovers/sessions.ts'
import { observeUnlisted, unlistedAgents } from '../claims/leftovers/unlisted-agents.ts'
import { SPARED } from '../claims/near-misses.ts'
import { whoLooksAt } from '../claims/others-live-in.ts'
import { attempt, attemptAsync, systemCode } from '../errors.ts'
import type { FileEntry } from '../platform/files/file-entry.ts'
import { realWorkspace } from '../platform/files/real-path.ts'
import { within } from '../platform/files/within.ts'
import { withDescendants } from '../platform/processes/ancestry.ts'
import { ageMs } from '../platform/processes/details.ts'
import { type Machine, readMachine, readProcess } from '../platform/processes/table.ts'
import { executePlan } from '../reaper/execute.ts'
import { describePlan, type Plan, type PlannedCleanup, planSession } from '../reaper/plan.ts'
import { emptyReport } from '../reaper/report.ts'
import { type AgentRef, taskRegistry } from '../registry/layout.ts'
import type { Registries } from '../registry/read-all.ts'
import { findAgent, mayListMore, readTaskRegistry } from '../registry/registry.ts'
import { readClients, type TmuxClient } from '../tmux/clients.ts'
import { readServer, type TmuxServer, type TmuxSession } from '../tmux/server.ts'
import { trustedSockets } from '../tmux/sockets.ts'
import { type CleanupResult, doneActions } from './actions.ts'
import { isAskedFor } from './asked-for.ts'
import type { LeftInWorkspace } from './left.ts'
import { YOUNG } from './young.ts'

/** A leftover session: it has an agent's name, and no registry lists it. It may be that of a workspace that was not named. */
interface UnlistedSession {
  socket: string
  id: string
  name: string
  /** How long ago it was created, in ms. */
  ageMs: number
  plan: Plan
  /** Who looks at it. Then it is left alone, unless it was asked for by its name. */
  inUse?: string
  /** Why it is left alone even when it is asked for by its name. */
  leftAlone?: LeftAlone
}

/**
 * `young`: it may still be being deployed. `unproven`: it is on a server that nobody named, and nothing but its name shows
 * whose it is. `others`: nothing in it is an agent's of this workspace, or what is there is somebody else's.
 */
interface LeftAlone {
  kind: 'young' | 'unproven' | 'others'
  why: string
}

/** Processes with the marker of an agent that no registry lists, outside of any session of its own. */
interface UnlistedProcesses {
  agent: AgentRef
  /** The age of the youngest that none of the others started, in ms. */
  ageMs: number
  plan: Plan
  leftAlone?: LeftAlone
}

/** A prompt of an agent that its task's registry does not list. */
type UnlistedPrompt = FileEntry & { leftAlone?: LeftAlone }

export interface UnlistedLeftovers {
  sessions: UnlistedSession[]
  processes: UnlistedProcesses[]
  prompts: UnlistedPrompt[]
  /** Processes with the marker of an agent that no registry lists which are never ended, and why. */
  spared: { pid: number; why: string }[]
  /** What could not be asked, in sentences. */
  problems: string[]
}

/** True for what a sweep may remove: whatever nobody looks at, and nothing else speaks for leaving alone. */
export const isRemovable = ({ inUse, leftAlone }: { inUse?: string; leftAlone?: LeftAlone }): boolean =>
  inUse === undefined && leftAlone === undefined

/**
 * Finds the leftovers that no registry lists. Those younger than `minAgeMs` are left alone, because a deploy registers its
 * agent a little before, or after. `left` is what was found on the machine; undefined when a registry could not be read: it may list
 * any session.
 */
export async function findUnlisted(
  workspace: string,
  own: Registries,
  left: LeftInWorkspace | undefined,
  minAgeMs: number,
): Promise<UnlistedLeftovers> {
  const found: UnlistedLeftovers = { sessions: [], processes: [], prompts: [], spared: [], problems: [] }
  const onFailure = (problem: string) => found.problems.push(problem)
  for (const [taskId, registry] of own.tasks)
    if (!mayListMore(registry)) {
      const prompts = attempt(() => findLeftoverPrompts(workspace, taskId, registry), onFailure) ?? []
      found.prompts.push(...prompts.map(prompt => ({ ...prompt, ...ifYoung(prompt, minAgeMs) })))
    }
  if (!left) return found
  const { machine, leftovers } = left
  for (const { server, session } of leftovers.sessions)
    await attemptAsync(async () => {
      const { id, name } = session
      // By the scan that found it, so that the list and the plan name the same processes.
      const plan = describePlan(planSession(await observeSession(workspace, server, session, machine)))
      const one = { socket: server.path, id, name, ageMs: ageOf(session), plan }
      const inUse = whoLooksAt(session, server, await clientsOf(server), minAgeMs)
      const leftAlone =
        ifYoung(one, minAgeMs) ??
        (isProven(workspace, server, session, machine) ? ifOthers(one) : unproven(server.path))
      found.sessions.push({ ...one, ...(inUse && { inUse }), ...leftAlone })
    }, onFailure)
  const inSessions = new Set(
    found.sessions.flatMap(({ plan, leftAlone }) => (leftAlone ? [] : plan.end.map(({ pid }) => pid))),
  )
  for (const agent of unlistedAgents(leftovers.processes))
    await attemptAsync(async () => {
      const planned = planSession(await observeUnlisted(agent, machine))
      const plan = describePlan(planned)
      const pidsOfPlan = new Set(plan.end.map(({ pid }) => pid))
      const spared = new Map(
        planned.claims.spared.map(({ process: { pid }, sparedFor }) => [pid, SPARED[sparedFor]]),
      )
      for (const { pid, unlisted } of leftovers.processes)
        if (unlisted && isSameAgent(unlisted, agent) && !pidsOfPlan.has(pid))
          found.spared.push({ pid, why: spared.get(pid) ?? HANDED_ON })
      // A new run of the agent begins with a process that no old one started.
      const roots = plan.end.filter(({ ppid }) => !pidsOfPlan.has(ppid))
      const one = { agent, ageMs: Math.min(...roots.map(({ ageMs: sinceMs }) => sinceMs)), plan }
      if (plan.end.some(({ pid }) => !inSessions.has(pid)))
        found.processes.push({ ...one, ...ifYoung(one, minAgeMs) })
    }, onFailure)
  return found
}

const HANDED_ON =
  'its marker alone is not enough, because a tmux server hands a marker on to everything that it starts'

const isSameAgent = (one: AgentRef, other: AgentRef): boolean =>
  one.workspace === other.workspace && one.taskId === other.taskId && one.agentId === other.agentId

const ifYoung = (
  { ageMs: sinceMs }: { ageMs: number },
  minAgeMs: number,
): { leftAlone: LeftAlone } | undefined =>
  // By clock ticks, something that has just begun may begin a moment later.
  Math.max(0, sinceMs) < minAgeMs ? { leftAlone: { kind: 'young', why: YOUNG } } : undefined

const unproven = (socket: string): { leftAlone: LeftAlone } => ({
  leftAlone: {
    kind: 'unproven',
    why: `only its name suggests that it is an agent’s of this workspace, and its tmux server was not named; add "--socket-path ${socket}" to name it`,
  },
})

/** Why nothing of a session would be ended; undefined if something would. */
function ifOthers({ id, name, plan }: Omit<UnlistedSession, 'inUse' | 'leftAlone'>) {
  if (plan.session || plan.end.length > 0) return undefined
  // The plan's sentence names the session once more.
  const head = `The session ${name} (${id}) is left alone, because `
  const why = plan.stays.map(one => (one.startsWith(head) ? one.slice(head.length) : one)).join(' ')
  return {
    leftAlone: { kind: 'others', why: why.replace(/\.$/, '') || 'nothing in it is an agent’s' },
  } as const
}

const clientsOf = (server: TmuxServer): Promise<TmuxClient[]> =>
  server.sessions.some(({ attached }) => attached > 0) ? readClients(server) : Promise.resolve([])

/** Its age by the wall clock, which may have been moved, but at most that of what runs in it, which the kernel measures. */
function ageOf(session: TmuxSession): number {
  const ages = livePanes(session)
    .flatMap(pid => readProcess(pid) ?? [])
    .map(ageMs)
  return Math.min(Date.now() - session.created * 1000, ...(ages.length > 0 ? [Math.max(...ages)] : []))
}

/**
 * On a server that only a registry or a process shows, a session's name is not enough: it may be another orchestrator's, and
 * an agent that writes the registry could have any session of the user's ended. There the marker, or a process that writes
 * the log of its name in this workspace, must show that it is the session of an agent of this workspace, or of one that was
 * removed.
 */
function isProven(workspace: string, server: TmuxServer, session: TmuxSession, machine: Machine): boolean {
  if (trustedSockets().includes(server.path)) return true
  if (markedAgent(workspace, server, session, machine)) return true
  const agentId = session.name.replace(/^agent_/, '')
  const { table, openFiles } = machine
  const writers = logWritersOf(new Set([realWorkspace(workspace)]), openFiles, agentId)
  const panes = livePanes(session).flatMap(pid => table.get(pid) ?? [])
  return [...withDescendants(table, panes)].some(({ pid }) => writers.has(pid))
}

/**
 * Ends leftover sessions with what runs in them, and removes leftover prompts. What could not be removed is in `problems`. A
 * session that somebody has begun to look at since is left, and gets the reason.
 */
export async function removeUnlisted(
  workspace: string,
  { sessions, processes, prompts }: Omit<UnlistedLeftovers, 'problems' | 'spared'>,
  { graceMs, minAgeMs, named }: { graceMs?: number | undefined; minAgeMs: number; named: readonly string[] },
): Promise<CleanupResult> {
  const result: CleanupResult = { outcome: 'clean', actions: [], problems: [] }
  const onFailure = (what: string) => (problem: string) => {
    result.outcome = 'unfinished'
    result.problems.push(`${what} could not be removed: ${problem}`)
  }
  const lookedAt = (session: UnlistedSession) => async (server: TmuxServer, now: TmuxSession) => {
    if (isAskedFor(named, session)) return false
    const inUse = whoLooksAt(now, server, await clientsOf(server), minAgeMs)
    if (inUse !== undefined) session.inUse = inUse
    return inUse !== undefined
  }
  for (const session of sessions)
    await attemptAsync(
      () => removeSession(workspace, session, graceMs, lookedAt(session), result),
      onFailure(session.name),
    )
  for (const { agent } of processes)
    await attemptAsync(() => endUnlisted(agent, graceMs, result), onFailure(agent.agentId))
  for (const { file } of prompts)
    attempt(
      () => {
        within(workspace, file, fs.unlinkSync)
        result.actions.push({ do: 'remove', file })
      },
      (problem, error) => {
        if (systemCode(error) !== 'ENOENT') onFailure(file)(problem)
      },
    )
  return result
}

async function removeSession(
  workspace: string,
  unlisted: UnlistedSession,
  graceMs: number | undefined,
  isInUse: (server: TmuxServer, session: TmuxSession) => Promise<boolean>,
  result: CleanupResult,
): Promise<void> {
  // Read again: it may have ended since. A server gives an id only once in its life.
  const server = await readServer(unlisted.socket)
  const session = server?.sessions.find(({ id, name }) => id === unlisted.id && name === unlisted.name)
  if (!server || !session) return
  const plan = planSession(await observeSession(workspace, server, session, await readMachine()))
  if (await isInUse(server, session)) return
  if (!plan.observation.location.session && plan.claims.claimed.size === 0)
    throw new Error(plan.observation.sharedSession?.why ?? 'Nothing in it is an agent’s any more.')
  await carryOut(plan, graceMs, result)
}

/** Ends the processes of an agent that no registry lists, unless one lists it by now. */
async function endUnlisted(
  agent: AgentRef,
  graceMs: number | undefined,
  result: CleanupResult,
): Promise<void> {
  if (fs.existsSync(taskRegistry(agent.workspace, agent.taskId))) {
    const registry = readTaskRegistry(agent.workspace, agent.taskId)
    if (findAgent(registry, agent) || mayListMore(registry)) return
  }
  await carryOut(planSession(await observeUnlisted(agent, await readMachine())), graceMs, result)
}

async function carryOut(
  plan: PlannedCleanup,
  graceMs: number | undefined,
  result: CleanupResult,
): Promise<void> {
  if (plan.handsOver) throw new Error('This sweep runs in it. Run it from another session.')
  const report = emptyReport(plan.observation.ref, plan.observation.entry.status)
  await executePlan(plan, graceMs ?? plan.graceMs, report, () => {})
  const closed = plan.observation.location.session?.name
  result.actions.push(...doneActions(report, closed))
  if (report.lost.length > 0) {
    result.outcome = 'unfinished'
    result.problems.push(...report.lost)
  }
  const left = report.problems.filter(problem => !report.lost.includes(problem))
  if (left.length > 0) throw new Error(left.join(' '))
}
