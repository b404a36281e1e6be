import fs from 'node:fs'
import { findSuspects, type Suspect } from '../claims/suspects.ts'
import { messageOf } from '../errors.ts'
import { detectEnd } from '../liveness/detect-end.ts'
import { CLEANED_AT_ONCE, Slots } from '../platform/slots.ts'
import { type Plan, planFor } from '../reaper/plan.ts'
import type { AgentEntry, TaskRegistry } from '../registry/entries.ts'
import { type AgentRef, promptFile, taskRegistry, validateRef } from '../registry/layout.ts'
import { isPending, isTerminal } from '../registry/lifecycle.ts'
import type { Registries } from '../registry/read-all.ts'
import { peekGlobalRegistry } from '../registry/registry.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { finishedAt, mayRunAgain } from './runs-again.ts'

/** What a sweep found of one agent that a registry lists. */
export type FoundAgent = {
  agent: AgentRef
  /** What the registry says of it now. */
  status: string
  why: string
} & (
  | /** It lives, or is being deployed, and is left alone. */ { state: 'live' | 'young' }
  | /** Its end is known and its cleanup is to be done: `to` is the status it gets. */ {
      state: 'ended'
      to: string
      plan: Plan
      suspects: Suspect[]
      /** When it was cleaned up before, of one that is listed as clean and of which something runs. */
      cleanedUpAt?: string
    }
  | /** Its entry names what no agent may be named. */ { state: 'refused' }
  | /** Something could not be read or asked, so that nothing is known of it. */ { state: 'unknown' }
)

/**
 * Looks at every agent that the registries of a workspace list. `minAgeMs`: younger ones may still be being deployed. An
 * aborted signal leaves out those that were not looked at yet.
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
  let seen = 0
  const looks = all.map(({ agent, entry, registry }) =>
    slots.run(async () => {
      if (signal?.aborted) return undefined
      const found = await lookAt(agent, entry, registry, minAgeMs)
      progress?.('looked at', ++seen, all.length)
      return found
    }),
  )
  return (await Promise.all(looks)).filter(one => one !== undefined)
}

/** Is told how many agents of how many were looked at, or cleaned up. */
export type Progress = (what: 'looked at' | 'cleaned up', done: number, of: number) => void

export interface FindOptions {
  minAgeMs: number
  signal?: AbortSignal
  progress?: Progress
}

async function lookAt(
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
    if (!recordedTmux(entry) && isYoung(agent, entry, minAgeMs))
      return { agent, status, state: 'young', why: 'it is young enough to be still being deployed' }
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
  // A cleanup needs it to tell the end to; without it nothing would be done.
  peekGlobalRegistry(agent.workspace)
  const { plan, observation, claims } = await planFor(agent, registry)
  return { agent, status, state: 'ended', why, to, plan, suspects: findSuspects(observation, claims) }
}

function whyPending({ status, cleanup }: AgentEntry): string {
  if (!cleanup) return `it is ${status}, and nobody cleaned up after it`
  const problems = cleanup.problems?.length ? `: ${cleanup.problems.join(' ')}` : ''
  return `it is ${status}, and its cleanup was begun at ${cleanup.since} and not finished${problems}`
}

const whyAgain = (entry: AgentEntry): string =>
  `it is ${entry.status} and was cleaned up at ${finishedAt(entry)}, and something of it runs again, or came later`

/**
 * Without a time of its start, or with one that may be yet to come, an agent is as old as the files say that were there when
 * it was deployed: its prompt, and the registry that lists it.
 */
function isYoung(agent: AgentRef, { started_at }: AgentEntry, minAgeMs: number): boolean {
  const since = Date.now() - parseTimestamp(started_at).latest
  if (since >= 0) return since < minAgeMs
  const files = [promptFile(agent), taskRegistry(agent.workspace, agent.taskId)]
  return files.every(file => !(Date.now() - writtenAt(file) >= minAgeMs))
}

function writtenAt(file: string): number {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN
}
