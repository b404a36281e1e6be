import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { findStaleEntries, type StaleEntry } from '../claims/leftovers/entries.ts'
import { type ForeignSession, type LeftoverSession, namesOf } from '../claims/leftovers/find.ts'
import type { LeftoverProcess } from '../claims/leftovers/processes.ts'
import type { NamedSuspect } from '../claims/leftovers/suspects.ts'
import { attemptAsync, CleanupError, messageOf, systemCode } from '../errors.ts'
import { isSameFile } from '../platform/files/real-path.ts'
import { CLEANED_AT_ONCE, Slots } from '../platform/slots.ts'
import { cleanUp } from '../reaper/clean-up.ts'
import { endingOf, isSameRun, isTerminal } from '../registry/lifecycle.ts'
import { type Registries, readRegistries } from '../registry/read-all.ts'
import { findAgent, peekAgent } from '../registry/registry.ts'
import { type Action, type CleanupResult, doneActions, plannedActions, registerAction } from './actions.ts'
import { type FoundAgent, findAgents, type Progress } from './agents.ts'
import { isAskedFor } from './asked-for.ts'
import { correctStaleEntries } from './correct-entries.ts'
import { findLeft } from './left.ts'
import { requireSessions } from './named-sessions.ts'
import { reopen } from './runs-again.ts'
import { findUnlisted, isRemovable, removeUnlisted, type UnlistedLeftovers } from './unlisted.ts'

export interface SweepOptions {
  /** False by default: then nothing is changed. */
  apply?: boolean
  /** Also removes the sessions, processes and prompts that no registry lists. */
  orphans?: boolean
  /** The sessions (asked-for.ts) that no registry lists and that are removed in any case, although somebody looks at them. */
  sessions?: readonly string[]
  /** By default what each agent needs. */
  graceMs?: number | undefined
  /** What is younger, in ms, may still be being deployed. */
  minAgeMs: number
  /** Other workspaces: a session that one of them lists is not a leftover. */
  beside?: readonly string[]
  /** Stops the sweep: cleanups that have not begun are left out, and those under way get a moment to finish. */
  signal?: AbortSignal
  progress?: Progress
}

/** An agent that a registry lists; `done` is absent in a dry run. */
type SweptAgent = FoundAgent & { done?: CleanupResult }

export interface Sweep {
  workspace: string
  /** How many tasks have a registry. */
  tasks: number
  applied: boolean
  /** True when it was stopped: then some agents may be missing from the list, and nothing was done to those without `done`. */
  stopped: boolean
  agents: SweptAgent[]
  unlisted: UnlistedLeftovers & { done?: CleanupResult }
  /** Entries of the global registry whose agents have ended. */
  stale: { entries: StaleEntry[]; done?: CleanupResult }
  /** Everything that is to be done, or that an apply would do, as one list. */
  actions: Action[]
  /** What is left over, as `status` lists it too; whatever of it is ended is in a plan as well. Undefined when unknown. */
  leftovers?: { sessions: LeftoverSession[]; processes: LeftoverProcess[] }
  /** Sessions named `agent_*` that belong to workspaces which are not swept, and so are no leftovers. */
  foreign: ForeignSession[]
  /** Processes that may be an agent's although no evidence ties them to one: never ended. */
  suspects: NamedSuspect[]
  /** What could not be read or asked, in sentences. */
  problems: string[]
}

/** Finds everything in a workspace that may have been left behind, and with `apply` cleans it up. */
export async function sweep(workspace: string, options: SweepOptions): Promise<Sweep> {
  const { minAgeMs, beside = [], signal } = options
  const registries = readRegistries(workspace)
  const agents = await orStopped(signal, findAgents(workspace, registries, options), () => [])
  const notFound: string[] = []
  const finding = () => findLeft(workspace, registries, beside.map(readRegistries))
  const left = signal?.aborted ? undefined : await attemptAsync(finding, problem => notFound.push(problem))
  const unlisted = signal?.aborted
    ? { sessions: [], processes: [], prompts: [], spared: [], problems: [] }
    : await findUnlisted(workspace, registries, left, minAgeMs)
  const problems = [...new Set([...registries.problems, ...notFound, ...unlisted.problems])]
  if (!signal?.aborted)
    await requireSessions(options.sessions ?? [], { workspace, registries, left, unlisted, problems })
  const onProblem = (problem: string) => problems.includes(problem) || problems.push(problem)
  const stale = await attemptAsync(
    () => findStaleEntries(workspace, registries, minAgeMs, onProblem),
    onProblem,
  )
  const isBeside = (other: string) => beside.some(one => isSameFile(one, other))
  const toCorrect = (stale ?? []).filter(({ isListed }) => isListed || options.orphans)
  const toRemove = chosen(unlisted, options)
  const found: Sweep = {
    workspace,
    tasks: registries.tasks.size,
    applied: options.apply === true,
    stopped: signal?.aborted === true,
    agents,
    unlisted,
    stale: { entries: stale ?? [] },
    actions: [
      ...agents.flatMap(actionsFor),
      ...actionsForUnlisted(toRemove),
      ...toCorrect.map(entry => registerAction(entry, entry.to)),
    ],
    ...(left && { leftovers: { sessions: namesOf(left.leftovers), processes: left.leftovers.processes } }),
    foreign: (left?.leftovers.foreign ?? []).filter(one => !isBeside(one.workspace)),
    suspects: left?.leftovers.suspects ?? [],
    problems,
  }
  if (!options.apply || found.stopped) return found
  found.agents = await cleanUpAll(agents, registries, options)
  found.stopped = signal?.aborted === true
  if (found.stopped) return found
  if (options.orphans || toRemove.sessions.length > 0)
    found.unlisted.done = await removeUnlisted(workspace, toRemove, {
      ...options,
      named: options.sessions ?? [],
    })
  if (toCorrect.length > 0) found.stale.done = await correctStaleEntries(workspace, toCorrect)
  return found
}

/** True when something could not be read or asked: then more may be left than was found. */
export const isUncertain = ({ problems, agents, stale }: Sweep): boolean =>
  problems.length > 0 ||
  stale.done?.outcome === 'failed' ||
  agents.some(({ state, done }) => state === 'unknown' || done?.outcome === 'failed')

/** True when something that was to be cleaned up is still there. */
export const isLeft = ({ agents, unlisted }: Sweep): boolean =>
  [...agents, unlisted].some(({ done }) => done?.outcome === 'unfinished') ||
  agents.some(({ state }) => state === 'refused')

function actionsFor(found: FoundAgent): Action[] {
  return found.state === 'ended' ? [...plannedActions(found.plan), registerAction(found.agent, found.to)] : []
}

type Chosen = Omit<UnlistedLeftovers, 'problems' | 'spared' | 'done'>

/** What is removed of what no registry lists. */
function chosen(
  { sessions, processes, prompts }: Chosen,
  { orphans = false, sessions: named = [] }: SweepOptions,
): Chosen {
  const isNamed = (one: Chosen['sessions'][number]) => isAskedFor(named, one) && !one.leftAlone
  return {
    sessions: sessions.filter(one => isNamed(one) || (orphans && isRemovable(one))),
    processes: processes.filter(one => orphans && isRemovable(one)),
    prompts: prompts.filter(one => orphans && isRemovable(one)),
  }
}

function actionsForUnlisted({ sessions, processes, prompts }: Chosen): Action[] {
  return [
    ...[...sessions, ...processes].flatMap(({ plan }) => plannedActions(plan)),
    ...prompts.map(({ file }): Action => ({ do: 'remove', file })),
  ]
}

/** How long a stopped sweep waits for the cleanups under way, in ms: most take less. */
const STOP_MS = 300

async function cleanUpAll(
  agents: readonly FoundAgent[],
  registries: Registries,
  { graceMs, signal, progress }: SweepOptions,
): Promise<SweptAgent[]> {
  const all: SweptAgent[] = [...agents]
  const slots = new Slots(CLEANED_AT_ONCE)
  const ended = [...agents.entries()].filter(([, { state }]) => state === 'ended')
  let finished = 0
  const work = ended.map(([n, agent]) =>
    slots.run(async () => {
      if (signal?.aborted) return
      all[n] = { ...agent, done: { outcome: 'interrupted', actions: [], problems: [] } }
      all[n] = await cleanUpOne(agent, registries, graceMs)
      progress?.('cleaned up', ++finished, ended.length)
    }),
  )
  return orStopped(
    signal,
    Promise.all(work).then(() => all),
    () => [...all],
  )
}

/** The result of some work, or `soFar` a moment after a stop. */
function orStopped<T>(signal: AbortSignal | undefined, work: Promise<T>, soFar: () => T): Promise<T> {
  const stopped = async (to: AbortSignal): Promise<T> => {
    if (!to.aborted) await once(to, 'abort')
    await sleep(STOP_MS)
    return soFar()
  }
  return signal ? Promise.race([work, stopped(signal)]) : work
}

/** The agent as left alone, if it is no longer the run that this sweep found ended; undefined otherwise. */
function startedAgain({ agent }: FoundAgent, { tasks }: Registries): FoundAgent | undefined {
  const registry = tasks.get(agent.taskId)
  const before = registry && findAgent(registry, agent)
  const now = peekAgent(agent)
  if (before && isSameRun(before, now)) return undefined
  const why = 'it was started again, or its entry was changed, after this sweep had found it'
  return { agent, status: now.status, state: 'live', why }
}

/** Cleans up one agent. Its plan is made again, because minutes may have passed; only the session's name is taken from the first. */
async function cleanUpOne(
  found: FoundAgent,
  registries: Registries,
  graceMs: number | undefined,
): Promise<SweptAgent> {
  if (found.state !== 'ended') return found
  const { agent, to, why, plan, cleanedUpAt } = found
  try {
    const again = startedAgain(found, registries)
    if (again) return again
    if (cleanedUpAt !== undefined) await reopen(agent, cleanedUpAt)
    // Of an end that is on disk already, `why` says more than the end's reason, and that may not be true for long.
    const reason = isTerminal(found.status) ? endingOf(peekAgent(agent)).reason : why
    const report = await cleanUp(agent, { status: to, reason, graceMs })
    const isDone = report.outcome === 'clean' || report.outcome === 'already-clean'
    const actions = [
      ...doneActions(report, plan.session?.name),
      ...(isDone ? [registerAction(agent, report.status)] : []),
    ]
    return {
      ...found,
      done: { outcome: report.outcome, actions, problems: report.problems, suspects: report.suspects },
    }
  } catch (error) {
    // Whatever the system says about one agent's files, the others are cleaned up.
    if (!(error instanceof CleanupError) && systemCode(error) === undefined) throw error
    return { ...found, done: { outcome: 'failed', actions: [], problems: [messageOf(error)] } }
  }
}
