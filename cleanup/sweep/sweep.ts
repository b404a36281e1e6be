import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { CleanupError, messageOf } from '../errors.ts'
import { CLEANED_AT_ONCE, Slots } from '../platform/slots.ts'
import { cleanUp } from '../reaper/clean-up.ts'
import type { Outcome } from '../reaper/report.ts'
import { isSameRun } from '../registry/lifecycle.ts'
import { type Registries, readRegistries } from '../registry/read-all.ts'
import { findAgent, peekAgent } from '../registry/registry.ts'
import { type Action, doneActions, plannedActions } from './actions.ts'
import { type FoundAgent, findAgents, type Progress } from './agents.ts'
import { removeUnlisted } from './remove-unlisted.ts'
import { reopen } from './runs-again.ts'
import { actionsForStale, correctStale, findStale, type StaleEntry } from './stale-entries.ts'
import { findUnlisted, type UnlistedLeftovers } from './unlisted.ts'

export interface SweepOptions {
  /** False, the default, looks only. */
  apply?: boolean
  /** Also removes the sessions and prompts that no registry knows. */
  orphans?: boolean
  graceMs: number
  /** What is younger, in ms, may still be being deployed. */
  minAgeMs: number
  /** Other workspaces: a session that one of them lists is no orphan. */
  beside?: readonly string[]
  /** Stops it: cleanups that are not begun then are left, and those at hand get a moment to finish. */
  signal?: AbortSignal
  progress?: Progress
}

/** What was done to one agent or orphan; absent in a dry run. */
export interface Done {
  /** `interrupted`: begun, and not finished when the sweep was stopped. Its end is noted, and the next cleaning goes on. */
  outcome: Outcome | 'failed' | 'interrupted'
  actions: Action[]
  /** What is left and why, in sentences. */
  problems: string[]
}

export interface Sweep {
  workspace: string
  /** How many tasks have a registry. */
  tasks: number
  applied: boolean
  /** True when it was stopped: then some agents may not have been looked at, and those without `done` are as they were. */
  stopped: boolean
  agents: (FoundAgent & { done?: Done })[]
  unlisted: UnlistedLeftovers & { done?: Done }
  /** Entries of the global registry whose agents have ended. */
  stale: { entries: StaleEntry[]; done?: Done }
  /** Everything that is to be done, or that an apply would do, as one list. */
  actions: Action[]
  /** What could not be read or asked, in sentences. */
  problems: string[]
}

/** Looks at everything in a workspace that may have been left behind, and cleans it up when it is told to. */
export async function sweep(workspace: string, options: SweepOptions): Promise<Sweep> {
  const { minAgeMs, beside = [], signal } = options
  const registries = readRegistries(workspace)
  const agents = await orStopped(signal, findAgents(workspace, registries, options), () => [])
  const unlisted = signal?.aborted
    ? { sessions: [], prompts: [], problems: [] }
    : await findUnlisted(workspace, registries, beside.map(readRegistries), minAgeMs)
  const problems = [...registries.problems, ...unlisted.problems]
  const stale = await findStale(workspace, registries, minAgeMs).catch((error: unknown) => {
    if (!problems.includes(messageOf(error))) problems.push(messageOf(error))
    return []
  })
  const toCorrect = stale.filter(({ isListed }) => isListed || options.orphans)
  const found: Sweep = {
    workspace,
    tasks: registries.tasks.size,
    applied: options.apply === true,
    stopped: signal?.aborted === true,
    agents,
    unlisted,
    stale: { entries: stale },
    actions: [
      ...agents.flatMap(actionsFor),
      ...(options.orphans ? actionsForUnlisted(unlisted) : []),
      ...actionsForStale(toCorrect),
    ],
    problems,
  }
  if (!options.apply || found.stopped) return found
  found.agents = await finishAll(agents, registries, options)
  found.stopped = signal?.aborted === true
  if (found.stopped) return found
  if (options.orphans) found.unlisted.done = await removeUnlisted(workspace, unlisted, options.graceMs)
  if (toCorrect.length > 0) found.stale.done = await correctStale(workspace, toCorrect)
  return found
}

/** True when something could not be read or asked: then the rest says nothing of it. */
export const isUncertain = ({ problems, agents, stale }: Sweep): boolean =>
  problems.length > 0 ||
  stale.done?.outcome === 'failed' ||
  agents.some(({ state, done }) => state === 'unknown' || done?.outcome === 'failed')

/** True when something that was to be cleaned up is still there. */
export const isLeft = ({ agents, unlisted }: Sweep): boolean =>
  [...agents, unlisted].some(({ done }) => done?.outcome === 'unfinished') ||
  agents.some(({ state }) => state === 'refused')

function actionsFor(found: FoundAgent): Action[] {
  if (found.state !== 'ended') return []
  const { agent, to, plan } = found
  return [...plannedActions(plan), { do: 'register', agent: `${agent.taskId}/${agent.agentId}`, status: to }]
}

function actionsForUnlisted({ sessions, prompts }: UnlistedLeftovers): Action[] {
  return [
    ...sessions.flatMap(({ plan }) => plannedActions(plan)),
    ...prompts.map(({ file }): Action => ({ do: 'remove', file })),
  ]
}

/** How long a stop waits for the cleanups at hand, in ms: most take less. */
const STOP_MS = 300

async function finishAll(
  agents: readonly FoundAgent[],
  registries: Registries,
  { graceMs, signal, progress }: SweepOptions,
): Promise<(FoundAgent & { done?: Done })[]> {
  const all: (FoundAgent & { done?: Done })[] = [...agents]
  const slots = new Slots(CLEANED_AT_ONCE)
  const ended = [...agents.entries()].filter(([, { state }]) => state === 'ended')
  let finished = 0
  const work = ended.map(([n, agent]) =>
    slots.run(async () => {
      if (signal?.aborted) return
      all[n] = { ...agent, done: { outcome: 'interrupted', actions: [], problems: [] } }
      all[n] = await finish(agent, registries, graceMs)
      progress?.('cleaned up', ++finished, ended.length)
    }),
  )
  return orStopped(
    signal,
    Promise.all(work).then(() => all),
    () => [...all],
  )
}

/** What comes of a work, or what there is of it a moment after a stop. */
function orStopped<T>(signal: AbortSignal | undefined, work: Promise<T>, soFar: () => T): Promise<T> {
  const stopped = async (to: AbortSignal): Promise<T> => {
    if (!to.aborted) await once(to, 'abort')
    await pause(STOP_MS)
    return soFar()
  }
  return signal ? Promise.race([work, stopped(signal)]) : work
}

/** Of an agent that is not what it was when it was looked at, that it is left alone. */
function startedAgain({ agent }: FoundAgent, { tasks }: Registries): FoundAgent | undefined {
  const registry = tasks.get(agent.taskId)
  const judged = registry && findAgent(registry, agent)
  const now = peekAgent(agent)
  if (judged && isSameRun(judged, now)) return undefined
  const why = 'it was started again, or its entry was changed, after it was looked at'
  return { agent, status: now.status, state: 'live', why }
}

async function finish(
  found: FoundAgent,
  registries: Registries,
  graceMs: number,
): Promise<FoundAgent & { done?: Done }> {
  if (found.state !== 'ended') return found
  const { agent, to, why, plan, cleanedUpAt } = found
  try {
    const again = startedAgain(found, registries)
    if (again) return again
    if (cleanedUpAt !== undefined) await reopen(agent, cleanedUpAt)
    const report = await cleanUp(agent, { status: to, reason: why, graceMs })
    const isDone = report.outcome === 'clean' || report.outcome === 'already-clean'
    const register: Action[] = isDone
      ? [{ do: 'register', agent: `${agent.taskId}/${agent.agentId}`, status: report.status }]
      : []
    const actions = [...doneActions(report, plan.session?.name), ...register]
    return { ...found, done: { outcome: report.outcome, actions, problems: report.problems } }
  } catch (error) {
    if (!(error instanceof CleanupError)) throw error
    return { ...found, done: { outcome: 'failed', actions: [], problems: [messageOf(error)] } }
  }
}
