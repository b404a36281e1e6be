import fs from 'node:fs'
import { findLeftoverPrompts } from '../claims/leftovers/prompts.ts'
import { leftoverSessions, livePanes, markedAgent, observeSession } from '../claims/leftovers/sessions.ts'
import { whoLooksAt } from '../claims/others-live-in.ts'
import { attempt, attemptAsync, systemCode } from '../errors.ts'
import type { FileEntry } from '../platform/files/file-entry.ts'
import { realWorkspace } from '../platform/files/real-path.ts'
import { within } from '../platform/files/within.ts'
import { ageMs } from '../platform/processes/details.ts'
import { type ProcessTable, readProcess, readTable } from '../platform/processes/table.ts'
import { executePlan } from '../reaper/execute.ts'
import { describePlan, type Plan, planSession } from '../reaper/plan.ts'
import { emptyReport } from '../reaper/report.ts'
import type { Registries } from '../registry/read-all.ts'
import { mayListMore } from '../registry/registry.ts'
import { readClients, type TmuxClient } from '../tmux/clients.ts'
import { readServer, type TmuxServer, type TmuxSession } from '../tmux/server.ts'
import { defaultSocket, socketsOf } from '../tmux/sockets.ts'
import { type CleanupResult, doneActions } from './actions.ts'

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
}

export interface UnlistedLeftovers {
  sessions: UnlistedSession[]
  /** Prompts of agents that their task's registry does not list. */
  prompts: FileEntry[]
  /** What could not be asked, in sentences. */
  problems: string[]
}

/**
 * Finds the leftovers that no registry lists and that are at least `minAgeMs` old: a deploy registers its agent a little
 * before, or after. `beside` are the registries of other workspaces. A registry that could not be read may list any
 * session, so with one such registry no session counts as a leftover.
 */
export async function findUnlisted(
  workspace: string,
  own: Registries,
  beside: readonly Registries[],
  minAgeMs: number,
): Promise<UnlistedLeftovers> {
  const found: UnlistedLeftovers = { sessions: [], prompts: [], problems: [] }
  const onFailure = (problem: string) => found.problems.push(problem)
  for (const [taskId, registry] of own.tasks)
    if (!mayListMore(registry)) {
      const prompts = attempt(() => findLeftoverPrompts(workspace, taskId, registry), onFailure) ?? []
      found.prompts.push(...prompts.filter(prompt => prompt.ageMs >= minAgeMs))
    }
  const all = [own, ...beside]
  const table = all.every(({ isWhole }) => isWhole) && (await attemptAsync(readTable, onFailure))
  if (!table) return found
  const agents = all.flatMap(({ tasks }) => [...tasks.values()]).flatMap(registry => registry.agents)
  const isLeftover = leftoverSessions(new Set([realWorkspace(workspace)]), agents, table)
  for (const socket of socketsOf(agents))
    await attemptAsync(async () => {
      const server = await readServer(socket)
      const clients = server ? await clientsOf(server) : []
      for (const session of server?.sessions.filter(isLeftover) ?? []) {
        const sinceMs = ageOf(session)
        if (!server || sinceMs < minAgeMs || !isProven(workspace, server, session, table)) continue
        const plan = describePlan(planSession(await observeSession(workspace, server, session)))
        const inUse = whoLooksAt(session, server, clients, minAgeMs)
        const { id, name } = session
        found.sessions.push({ socket, id, name, ageMs: sinceMs, plan, ...(inUse && { inUse }) })
      }
    }, onFailure)
  return found
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
 * On a server that only a registry names, a session's name is not enough: an agent that writes the registry could have any
 * session of the user's ended. There the marker must show that it is the session of an agent of this workspace.
 */
const isProven = (
  workspace: string,
  server: TmuxServer,
  session: TmuxSession,
  table: ProcessTable,
): boolean => server.path === defaultSocket() || markedAgent(workspace, server, session, table) !== undefined

/**
 * Ends leftover sessions with what runs in them, and removes leftover prompts. What could not be removed is in `problems`. A
 * session that somebody has begun to look at since is left, and gets the reason.
 */
export async function removeUnlisted(
  workspace: string,
  { sessions, prompts }: Pick<UnlistedLeftovers, 'sessions' | 'prompts'>,
  { graceMs, minAgeMs, named }: { graceMs?: number | undefined; minAgeMs: number; named: readonly string[] },
): Promise<CleanupResult> {
  const result: CleanupResult = { outcome: 'clean', actions: [], problems: [] }
  const onFailure = (what: string) => (problem: string) => {
    result.outcome = 'unfinished'
    result.problems.push(`${what} could not be removed: ${problem}`)
  }
  const lookedAt = (session: UnlistedSession) => async (server: TmuxServer, now: TmuxSession) => {
    if (named.includes(now.name)) return false
    const inUse = whoLooksAt(now, server, await clientsOf(server), minAgeMs)
    if (inUse !== undefined) session.inUse = inUse
    return inUse !== undefined
  }
  for (const session of sessions)
    await attemptAsync(
      () => removeSession(workspace, session, graceMs, lookedAt(session), result),
      onFailure(session.name),
    )
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
  const plan = planSession(await observeSession(workspace, server, session))
  if (await isInUse(server, session)) return
  if (plan.handsOver) throw new Error('This sweep runs in it. Run it from another session.')
  const report = emptyReport(plan.observation.ref, plan.observation.entry.status)
  await executePlan(plan, graceMs ?? plan.graceMs, report, () => {})
  const closed = plan.observation.location.session?.name
  result.actions.push(...doneActions(report, closed))
  if (report.problems.length > 0) throw new Error(report.problems.join(' '))
}
