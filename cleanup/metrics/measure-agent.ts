import fs from 'node:fs'
import { claim } from '../claims/claim.ts'
import { withoutSharedSession } from '../claims/shared-session.ts'
import { readContainment } from '../containment/contained.ts'
import { attempt, attemptAsync } from '../errors.ts'
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
  const onFailure = (problem: string) => {
    row.problems.push(problem)
    row.unknown = true
  }
  const files = attempt(() => agentFiles(validateRef(ref), entry), onFailure)
  if (!files) return seen
  attempt(() => measureLog(row, files), onFailure)
  if (row.state !== 'done')
    await attemptAsync(() => measureLive(seen, ref, files, agents, machine), onFailure)
  return seen
}

async function measureLive(
  seen: MeasuredAgent,
  ref: AgentRef,
  files: AgentFiles,
  agents: readonly AgentEntry[],
  machine: Machine | undefined,
): Promise<void> {
  const { row, entry } = seen
  const location = await locate(entry)
  seen.location = location
  row.session = location.session !== undefined
  if (!machine) {
    row.unknown = true
    return
  }
  const place = { log: files.stream, location, contained: readContainment(ref, entry) }
  const observation = withoutSharedSession({ ref, entry, agents, ...place, ...machine })
  seen.location = observation.location
  row.session = observation.location.session !== undefined
  const { claimed } = claim(observation)
  seen.processes = [...claimed.values()].map(({ process }) => process).filter(one => !hasEnded(one))
  row.processes = seen.processes.length
  row.claudes = seen.processes.filter(isClaude).length
  row.rssBytes = residentBytes(seen.processes.map(({ pid }) => pid))
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

function measureLog(row: AgentRow, files: AgentFiles): void {
  const stat = fs.lstatSync(files.stream, { throwIfNoEntry: false })
  if (!stat) return
  row.logBytes = stat.size
  row.lastOutputMs = stat.mtimeMs
}
