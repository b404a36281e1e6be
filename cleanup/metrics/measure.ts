import { findLeftovers, namesOf } from '../claims/leftovers/find.ts'
import { serversOf } from '../claims/leftovers/servers.ts'
import { attemptAsync } from '../errors.ts'
import { realWorkspace } from '../platform/files/real-path.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { type Machine, readMachine } from '../platform/processes/table.ts'
import { validateWorkspace } from '../registry/layout.ts'
import { readDaemon } from './health.ts'
import { isClaude, type MeasuredAgent } from './measure-agent.ts'
import { measureWorkspace } from './measure-workspace.ts'
import type { Measurement, ProcessFigures, SessionFigures } from './measurement.ts'

/**
 * Measures some workspaces (absolute paths), and the sessions and processes of their agents. Reads only. A source that
 * could not be read is in `problems`, and the figures that need it are undefined. Throws a CleanupError for a relative path.
 *
 * The figures are those of the report's section 9, found by identity instead of by pattern. They differ from its
 * one-liners:
 * - `tmux list-sessions | grep agent_ | wc -l` asks one server and counts every line with "agent_", for example a user's
 *   session `my_agent_notes`. `measure` asks each server that an agent was deployed on, and compares session ids.
 * - `ps aux | grep claude | wc -l` counts the grep itself, every shell, tee and tmux with "claude" in its arguments, an
 *   editor on CLAUDE.md, and the processes of all users. `measure` counts processes named claude, by owner.
 * - `du -sh` counts the blocks of files and folders. It equals the sum of `allocatedBytes`; `bytes` are the lengths.
 * - `find -name '*_stream.jsonl'` also finds archived logs, so its count never falls back to that of the live agents.
 *   `measure` has a class for archives.
 */
export async function measure(workspaces: readonly string[]): Promise<Measurement> {
  const startedAt = performance.now()
  const atMs = Date.now()
  for (const workspace of workspaces) validateWorkspace(workspace)
  const problems: string[] = []
  const onFailure = (problem: string) => problems.push(problem)
  const machine = await attemptAsync(readMachine, onFailure)
  const measured = await Promise.all(workspaces.map(workspace => measureWorkspace(workspace, machine)))
  problems.push(...measured.flatMap(part => part.problems))
  const agents = measured.flatMap(part => part.agents)
  const roots = new Set(workspaces.map(realWorkspace))
  // An agent whose registry or session could not be read may own any session or process, so none counts as a leftover then.
  const isWhole =
    measured.every(part => part.isWhole) && !agents.some(({ row }) => row.unknown && row.state !== 'done')
  const figures =
    isWhole && machine
      ? await attemptAsync(() => measureMachine(machine, agents, roots), onFailure)
      : undefined
  return {
    atMs,
    workspaces: measured.map(({ workspace, agents: own, disk }) => ({
      workspace,
      agents: own.map(({ row }) => row),
      daemon: readDaemon(workspace, atMs),
      disk,
    })),
    sessions: figures?.sessions,
    processes: figures?.processes,
    problems: [...new Set(problems)],
    tookMs: performance.now() - startedAt,
  }
}

/** The machine's part of a measurement. Throws a CleanupError (`tmux-unreachable`). */
async function measureMachine(
  machine: Machine,
  agents: readonly MeasuredAgent[],
  workspaces: ReadonlySet<string>,
): Promise<{ sessions: SessionFigures; processes: ProcessFigures }> {
  const listed = agents.map(agent => agent.listed)
  const servers = await serversOf(
    machine,
    listed.map(({ entry }) => entry),
    workspaces,
  )
  const found = findLeftovers(machine, listed, workspaces, servers)
  const ofAgents = new Set(listed.flatMap(agent => agent.processes.map(({ pid }) => pid)))
  const claudes = [...machine.table.values()].filter(one => isClaude(one) && !hasEnded(one))
  const owners = new Map<string, MeasuredAgent>()
  for (const agent of agents) {
    const { server, session } = agent.listed.location ?? {}
    if (server && session) owners.set(`${server.pid} ${session.id}`, agent)
  }
  const active = [...owners.values()].filter(({ row }) => row.state === 'live').length
  return {
    sessions: {
      active,
      ended: owners.size - active,
      leftover: namesOf(found),
      foreign: found.foreign,
    },
    processes: {
      ofAgents: ofAgents.size,
      rssBytes: agents.reduce((sum, { row }) => sum + (row.rssBytes ?? 0), 0),
      claudesOfAgents: claudes.filter(({ pid }) => ofAgents.has(pid)).length,
      claudesUnowned: claudes.filter(({ pid }) => !ofAgents.has(pid)).length,
      leftovers: found.processes,
      suspects: found.suspects,
    },
  }
}
