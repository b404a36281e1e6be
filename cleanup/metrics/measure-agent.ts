import fs from 'node:fs'
import { claim } from '../claims/claim.ts'
import { observe } from '../claims/observe.ts'
import { attempt, attemptAsync } from '../errors.ts'
import { residentBytes } from '../platform/processes/memory.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import type { Machine, SeenProcess } from '../platform/processes/table.ts'
import { type AgentFiles, agentFiles } from '../registry/agent-files.ts'
import type { AgentEntry, TaskRegistry } from '../registry/entries.ts'
import { type AgentRef, validateRef } from '../registry/layout.ts'
import { isPending, isTerminal } from '../registry/lifecycle.ts'
import { locate, type TmuxLocation } from '../tmux/locate.ts'
import type { AgentRow } from './measurement.ts'

/** One agent's row, and the facts that the figures of the whole machine are computed from. */
export interface MeasuredAgent {
  row: AgentRow
  entry: AgentEntry
  location: TmuxLocation | undefined
  processes: SeenProcess[]
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
  const measured: MeasuredAgent = { row: rowOf(ref, entry), entry, location: undefined, processes: [] }
  const { row } = measured
  const onFailure = (problem: string) => {
    row.problems.push(problem)
    row.unknown = true
  }
  const files = attempt(() => agentFiles(validateRef(ref), entry), onFailure)
  if (!files) return measured
  attempt(() => measureLog(row, files), onFailure)
  if (row.state !== 'done')
    await attemptAsync(() => measureLive(measured, ref, registry, { machine, log: files.stream }), onFailure)
  return measured
}

async function measureLive(
  measured: MeasuredAgent,
  ref: AgentRef,
  registry: TaskRegistry,
  { machine, log }: { machine: Machine | undefined; log: string },
): Promise<void> {
  const { row, entry } = measured
  if (!machine) {
    measured.location = await locate(entry)
    row.session = measured.location.session !== undefined
    row.unknown = true
    return
  }
  const observation = await observe(ref, registry, { machine, log })
  measured.location = observation.location
  row.session = observation.location.session !== undefined
  const { claimed } = claim(observation)
  measured.processes = [...claimed.values()].map(({ process }) => process).filter(one => !hasEnded(one))
  row.processes = measured.processes.length
  row.claudes = measured.processes.filter(isClaude).length
  row.rssBytes = residentBytes(measured.processes.map(({ pid }) => pid))
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
  const stat = fs.lstatSync(files.stream, { throwIfNoEntry: false })
  if (!stat) return
  row.logBytes = stat.size
  row.lastOutputMs = stat.mtimeMs
}
