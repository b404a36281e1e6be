import { describeStartedAgain } from '../claims/leftovers/started-again.ts'
import type { Suspect } from '../claims/suspect.ts'
import { findSuspects } from '../claims/suspects.ts'
import { messageOf } from '../errors.ts'
import { detectEnd } from '../liveness/detect-end.ts'
import { statAt } from '../platform/files/stat-at.ts'
import { CLEANED_AT_ONCE, Slots } from '../platform/slots.ts'
import { describePlan, type Plan, planFor } from '../reaper/plan.ts'
import type { AgentEntry, TaskRegistry } from '../registry/entries.ts'
import { type AgentRef, promptFile, taskRegistry, validateRef } from '../registry/layout.ts'
import { isPending, isTerminal } from '../registry/lifecycle.ts'
import type { Registries } from '../registry/read-all.ts'
import { peekGlobalRegistry } from '../registry/registry.ts'
import { isYoung } from '../registry/timestamps.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { finishedAt, mayRunAgain } from './runs-again.ts'
import { YOUNG } from './young.ts'

/** An agent that a registry lists, as a sweep found it. */
export type FoundAgent = {
  agent: AgentRef
  /** Its status in the registry now. */
  status: string
  why: string
} & (
  | /** It lives, or is being deployed, and is left alone. */ { state: 'live' | 'young' }
  | /** Its end is known and its cleanup is to be done: `to` is the status it gets. */ {
      state: 'ended'
      to: string
      plan: Plan
      /** What began after its cleanup had ended, in sentences. */
      startedAgain: string[]
      suspects: Suspect[]
      /** When it was cleaned up before, if its cleanup is done and something of it runs again. */
      cleanedUpAt?: string
    }
  | /** Its id is one that no agent may have. */ { state: 'refused' }
  | /** Something could not be read or asked, so its state is not known. */ { state: 'unknown' }
)

/**
 * Checks every agent that the registries of a workspace list. `minAgeMs`: younger ones may still be being deployed. An
 * aborted signal leaves out those that have not been checked yet.
 */
export async function findAgents(
  workspace: string,
  { tasks }: Registries,
  { minAgeMs, signal, progress }: FindOptions,
): Promise<FoundAgent[]> {
  const all = [...tasks].flatMap(([taskId, registry]) =>
    registry.agents.map(entry => ({ agent: { workspace, taskId, agentId: entry.id }, entry, registry })),
  )
  const slots = new Slots(CLEANED_AT_ONCE)
  let checked = 0
  const checks = all.map(({ agent, entry, registry }) =>
    slots.run(async () => {
      if (signal?.aborted) return undefined
      const found = await check(agent, entry, registry, minAgeMs)
      progress?.('checked', ++checked, all.length)
      return found
    }),
  )
  return (await Promise.all(checks)).filter(one => one !== undefined)
}

/** Receives how many agents of how many were checked, or cleaned up. */
export type Progress = (what: 'checked' | 'cleaned up', done: number, of: number) => void

export interface FindOptions {
  minAgeMs: number
  signal?: AbortSignal
  progress?: Progress
}

async function check(
  agent: AgentRef,
  entry: AgentEntry,
  registry: TaskRegistry,
  minAgeMs: number,
): Promise<FoundAgent | undefined> {
  const { status } = entry
  const isClean = isTerminal(status) && !isPending(entry)
  try {
    validateRef(agent)
  } catch (error) {
    return isClean ? undefined : { agent, status, state: 'refused', why: messageOf(error) }
  }
  try {
    if (isClean) {
      if (!(await mayRunAgain(agent, entry))) return undefined
      const again = await ended(agent, entry, registry, status, whyAgain(entry))
      const isNothing = again.plan.end.length === 0 && again.plan.session === undefined
      return isNothing ? undefined : { ...again, cleanedUpAt: finishedAt(entry) }
    }
    if (isPending(entry)) return await ended(agent, entry, registry, status, whyPending(entry))
    const ending = await detectEnd(agent, entry)
    if (!ending) return { agent, status, state: 'live', why: 'it lives' }
    if (!recordedTmux(entry) && mayBeDeploying(agent, entry, minAgeMs))
      return { agent, status, state: 'young', why: YOUNG }
    return await ended(agent, entry, registry, ending.status, ending.reason)
  } catch (error) {
    return { agent, status, state: 'unknown', why: messageOf(error) }
  }
}

async function ended(
  agent: AgentRef,
  { status }: AgentEntry,
  registry: TaskRegistry,
  to: string,
  why: string,
): Promise<FoundAgent & { state: 'ended' }> {
  // A cleanup records the end in the global registry; without that it would do nothing.
  peekGlobalRegistry(agent.workspace)
  const plan = await planFor(agent, registry)
  const suspects = findSuspects(plan.observation, plan.claims, plan)
  const startedAgain = describeStartedAgain(plan.observation, plan.claims)
  return { agent, status, state: 'ended', why, to, plan: describePlan(plan), startedAgain, suspects }
}

function whyPending({ status, cleanup }: AgentEntry): string {
  if (!cleanup) return `it is ${status}, and no cleanup was begun`
  const problems = cleanup.problems?.length ? `: ${cleanup.problems.join(' ')}` : ''
  return `it is ${status}, and its cleanup was begun at ${cleanup.since} and not finished${problems}`
}

const whyAgain = (entry: AgentEntry): string =>
  `it is ${entry.status} and was cleaned up at ${finishedAt(entry)}, but something of the agent runs again or began later`

/** An agent without a usable start is as old as the files that were there when it was deployed: its prompt, and the registry that lists it. */
function mayBeDeploying(agent: AgentRef, { started_at }: AgentEntry, minAgeMs: number): boolean {
  const files = [promptFile(agent), taskRegistry(agent.workspace, agent.taskId)]
  return isYoung(started_at, minAgeMs, files.map(writtenAt))
}

function writtenAt(file: string): number {
  return statAt(file)?.mtimeMs ?? Number.NaN
}
