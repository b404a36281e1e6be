import { type ListedAgent, listedAgent, observeListed } from '../claims/leftovers/listed.ts'
import { attempt, attemptAsync } from '../errors.ts'
import { statAt } from '../platform/files/stat-at.ts'
import { residentBytes } from '../platform/processes/memory.ts'
import type { Machine, SeenProcess } from '../platform/processes/table.ts'
import { type AgentFiles, agentFiles } from '../registry/agent-files.ts'
import type { AgentEntry, TaskRegistry } from '../registry/entries.ts'
import { type AgentRef, validateRef } from '../registry/layout.ts'
import { isPending, isTerminal } from '../registry/lifecycle.ts'
import { locate } from '../tmux/locate.ts'
import type { AgentRow } from './measurement.ts'

/** One agent's row, and the facts that the figures of the whole machine are computed from. */
export interface MeasuredAgent {
  row: AgentRow
  listed: ListedAgent
}

/**
 * Measures one agent: its log, its session, and the processes that a cleanup would claim. For an agent whose cleanup is
 * done only the log is measured; everything else that is left of the agent counts as a leftover. Failures are problems of the row.
 */
export async function measureAgent(
  ref: AgentRef,
  entry: AgentEntry,
  registry: TaskRegistry,
  machine: Machine | undefined,
): Promise<MeasuredAgent> {
  const row = rowOf(ref, entry)
  const unknown = { row, listed: listedAgent(ref, entry) }
  const onFailure = (problem: string) => {
    row.problems.push(problem)
    row.unknown = true
  }
  const files = attempt(() => agentFiles(validateRef(ref), entry), onFailure)
  if (!files) return unknown
  attempt(() => measureLog(row, files), onFailure)
  if (!machine) {
    if (row.state !== 'done') await attemptAsync(() => measureSession(row, entry), onFailure)
    return unknown
  }
  const observing = () => observeListed(ref, entry, registry, machine, files.stream)
  const listed = await attemptAsync(observing, onFailure)
  if (!listed) return unknown
  if (row.state !== 'done') measureLive(row, listed)
  return { row, listed }
}

/** Without the processes, only tmux shows something. */
async function measureSession(row: AgentRow, entry: AgentEntry): Promise<void> {
  row.session = (await locate(entry)).session !== undefined
  row.unknown = true
}

function measureLive(row: AgentRow, { location, processes }: ListedAgent): void {
  row.session = location?.session !== undefined
  row.processes = processes.length
  row.claudes = processes.filter(isClaude).length
  row.rssBytes = residentBytes(processes.map(({ pid }) => pid))
}

/** Compares the kernel's name, which every version of claude sets. Arguments would also match an editor on CLAUDE.md. */
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
  const stat = statAt(files.stream)
  if (!stat) return
  row.logBytes = stat.size
  row.lastOutputMs = stat.mtimeMs
}
