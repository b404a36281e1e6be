import { realWorkspace } from '../platform/files/real-path.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { type Machine, readMachine } from '../platform/processes/table.ts'
import { validateWorkspace } from '../registry/layout.ts'
import { attempt } from './attempt.ts'
import { readDaemon } from './health.ts'
import { findLeftoverProcesses, type Known } from './leftover-processes.ts'
import { sessionFigures } from './leftover-sessions.ts'
import { isClaude } from './measure-agent.ts'
import { measureWorkspace } from './measure-workspace.ts'
import type { Measurement, ProcessFigures } from './measurement.ts'

/**
 * Looks once at some workspaces (absolute paths) and at what the machine has of their agents. Reads only, throws only
 * for a path that is not absolute: what could not be looked at is in `problems`, and its figures are undefined.
 *
 * The numbers are those of the report's section 9, by identity instead of by a pattern. They differ from its
 * one-liners where those count something else:
 * - `tmux list-sessions | grep agent_ | wc -l` asks one server, and counts every line with "agent_" in it, a user's
 *   `my_agent_notes` as well. Ours asks each server that an agent was deployed on, and compares ids.
 * - `ps aux | grep claude | wc -l` counts the grep itself, the shell, tee and tmux lines that carry "claude" in their
 *   arguments, an editor on CLAUDE.md, and everybody's. Ours counts processes named claude, and says whose they are.
 * - `du -sh` counts blocks, folders included: the sum of our allocated bytes. The lengths are given beside it.
 * - `find -name '*_stream.jsonl'` also finds the archived logs, so it never falls to the count of live agents once
 *   logs are archived inside the workspace. Ours has a class for archives.
 */
export async function measure(workspaces: readonly string[]): Promise<Measurement> {
  const startedAt = performance.now()
  const atMs = Date.now()
  for (const workspace of workspaces) validateWorkspace(workspace)
  const problems: string[] = []
  const machine = await attempt(problems, readMachine)
  const seen = await Promise.all(workspaces.map(workspace => measureWorkspace(workspace, machine)))
  problems.push(...seen.flatMap(part => part.problems))
  const agents = seen.flatMap(part => part.agents)
  const roots = new Set(workspaces.map(realWorkspace))
  // Whose registry or session could not be seen may own any session and any process: nothing is called an orphan then.
  const isWhole =
    seen.every(part => part.isWhole) && !agents.some(({ row }) => row.unknown && row.state !== 'done')
  const tmux = isWhole
    ? await attempt(problems, () => sessionFigures(agents, roots, machine?.table))
    : undefined
  const known: Known | undefined = tmux && {
    agents,
    workspaces: roots,
    servers: new Set(tmux.servers.map(({ pid }) => pid)),
    leftoverPanes: tmux.leftoverPanes,
  }
  return {
    atMs,
    workspaces: seen.map(({ workspace, agents: own, disk }) => ({
      workspace,
      agents: own.map(({ row }) => row),
      daemon: readDaemon(workspace, atMs),
      disk,
    })),
    sessions: tmux?.figures,
    processes: machine && known ? processFigures(machine, known) : undefined,
    problems: [...new Set(problems)],
    tookMs: performance.now() - startedAt,
  }
}

function processFigures(machine: Machine, known: Known): ProcessFigures {
  const ofAgents = new Set(known.agents.flatMap(agent => agent.processes.map(({ pid }) => pid)))
  const claudes = [...machine.table.values()].filter(one => isClaude(one) && !hasEnded(one))
  const rssBytes = known.agents.reduce((sum, { row }) => sum + (row.rssBytes ?? 0), 0)
  return {
    ofAgents: ofAgents.size,
    rssBytes,
    claudesOfAgents: claudes.filter(({ pid }) => ofAgents.has(pid)).length,
    claudesUnowned: claudes.filter(({ pid }) => !ofAgents.has(pid)).length,
    leftovers: findLeftoverProcesses(machine, known),
  }
}
