import fs from 'node:fs'
import { claim } from '../claims/claim.ts'
import { withoutSharedSession } from '../claims/shared-session.ts'
import { readContainment } from '../containment/contained.ts'
import { messageOf } from '../errors.ts'
import { residentBytes } from '../platform/processes/memory.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import type { Machine, SeenProcess } from '../platform/processes/table.ts'
import { type AgentFiles, agentFiles } from '../registry/agent-files.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { type AgentRef, validateRef } from '../registry/layout.ts'
import { isPending, isTerminal } from '../registry/lifecycle.ts'
import { locate, type TmuxLocation } from '../tmux/locate.ts'
import type { AgentRow } from './measurement.ts'

/** One agent's row, and what the figures of the whole machine need of it. */
export interface MeasuredAgent {
  row: AgentRow
  entry: AgentEntry
  location: TmuxLocation | undefined
  processes: SeenProcess[]
}

/**
 * Looks at one agent: its session, and the processes that a cleanup would claim. An agent whose cleanup is done is
 * not looked for, because nothing should be left of it; what is left shows as a leftover.
 */
export async function measureAgent(
  ref: AgentRef,
  entry: AgentEntry,
  agents: readonly AgentEntry[],
  machine: Machine | undefined,
): Promise<MeasuredAgent> {
  const seen: MeasuredAgent = { row: rowOf(ref, entry), entry, location: undefined, processes: [] }
  const { row } = seen
  const files = attempt(row, () => agentFiles(validateRef(ref), entry))
  if (files) addLog(row, files)
  if (row.state === 'done' || !files) return seen
  try {
    seen.location = await locate(entry)
  } catch (error) {
    return doubt(seen, error)
  }
  row.session = seen.location.session !== undefined
  if (!machine) {
    row.unknown = true
    return seen
  }
  try {
    const place = { log: files.stream, location: seen.location, contained: readContainment(ref, entry) }
    const observation = withoutSharedSession({ ref, entry, agents, ...place, ...machine })
    seen.location = observation.location
    row.session = observation.location.session !== undefined
    const { claimed } = claim(observation)
    seen.processes = [...claimed.values()].map(({ process }) => process).filter(one => !hasEnded(one))
  } catch (error) {
    return doubt(seen, error)
  }
  row.processes = seen.processes.length
  row.claudes = seen.processes.filter(isClaude).length
  row.rssBytes = residentBytes(seen.processes.map(({ pid }) => pid))
  return seen
}

/** By the kernel's name for it: the real one sets it, in every version. Arguments would also find an editor on CLAUDE.md. */
export const isClaude = ({ comm }: SeenProcess): boolean => comm === 'claude'

function rowOf(ref: AgentRef, entry: AgentEntry): AgentRow {
  const ended = isTerminal(entry.status)
  const since = ended ? (entry.completed_at ?? entry.cleanup?.since) : entry.started_at
  const problems = entry.cleanup?.state === 'done' ? [] : entry.cleanup?.problems
  return {
    ...ref,
    status: entry.status,
    state: !ended ? 'live' : isPending(entry) ? 'pending' : 'done',
    ...(typeof since === 'string' && { since }),
    problems: Array.isArray(problems) ? problems.map(String) : [],
    unknown: false,
  }
}

function addLog(row: AgentRow, files: AgentFiles): void {
  const stat = attempt(row, () => fs.lstatSync(files.stream, { throwIfNoEntry: false }))
  if (!stat) return
  row.logBytes = stat.size
  row.lastOutputMs = stat.mtimeMs
}

function attempt<T>(row: AgentRow, look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    row.problems.push(messageOf(error))
    row.unknown = true
    return undefined
  }
}

function doubt(seen: MeasuredAgent, error: unknown): MeasuredAgent {
  attempt(seen.row, () => {
    throw error
  })
  return seen
}
