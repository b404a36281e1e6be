import fs from 'node:fs'
import { words } from '../errors.ts'
import { hasEnded } from '../processes/stat.ts'
import { type Machine, readMachine } from '../processes/table.ts'
import { validateWorkspace } from '../workspace/layout.ts'
import { listTasks, readTaskRegistry } from '../workspace/registry.ts'
import { isClaude, type SeenAgent, seeAgent } from './agent-row.ts'
import { type DiskUse, diskUse } from './disk-use.ts'
import { readDaemon } from './health.ts'
import type { Measurement, ProcessFigures } from './measurement.ts'
import { sessionFigures } from './sessions.ts'
import { findUnattributed, type Known } from './unattributed.ts'

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
  const parts = await Promise.all(
    workspaces.map(async workspace => {
      const [agents, disk] = await Promise.all([
        seeAgents(workspace, machine, problems),
        attempt(problems, () => diskUse(workspace)),
      ])
      problems.push(...(disk?.problems ?? []))
      return { workspace, agents, disk }
    }),
  )
  const agents = parts.flatMap(part => part.agents)
  const roots = new Set([...workspaces, ...workspaces.map(realpath)])
  const tmux = await attempt(problems, () => sessionFigures(agents, roots, machine?.table))
  const isKnown = !agents.some(({ row }) => row.unknown && row.state !== 'done')
  const known: Known | undefined = tmux && {
    agents,
    workspaces: roots,
    servers: new Set(tmux.servers.map(({ pid }) => pid)),
    orphanedPanes: tmux.orphanedPanes,
  }
  return {
    atMs,
    workspaces: parts.map(part => figuresOf(part, atMs)),
    sessions: isKnown ? tmux?.figures : undefined,
    processes: isKnown && machine && known ? processFigures(machine, known) : undefined,
    problems: [...new Set(problems)],
    tookMs: performance.now() - startedAt,
  }
}

function figuresOf(
  { workspace, agents, disk }: { workspace: string; agents: SeenAgent[]; disk: DiskUse | undefined },
  atMs: number,
) {
  return { workspace, agents: agents.map(({ row }) => row), daemon: readDaemon(workspace, atMs), disk }
}

async function seeAgents(
  workspace: string,
  machine: Machine | undefined,
  problems: string[],
): Promise<SeenAgent[]> {
  const tasks = (await attempt(problems, () => listTasks(workspace))) ?? []
  const seen = tasks.map(async taskId => {
    const registry = await attempt(problems, () => readTaskRegistry(workspace, taskId))
    const agents = registry?.agents ?? []
    return Promise.all(
      agents.map(entry => seeAgent({ workspace, taskId, agentId: entry.id }, entry, agents, machine)),
    )
  })
  const agents = (await Promise.all(seen)).flat()
  for (const { row } of agents) if (row.unknown) problems.push(...row.problems.slice(-1))
  return agents
}

function processFigures(machine: Machine, known: Known): ProcessFigures {
  const ofAgents = new Set(known.agents.flatMap(agent => agent.processes.map(({ pid }) => pid)))
  const claudes = [...machine.table.values()].filter(one => isClaude(one) && !hasEnded(one))
  const rssBytes = known.agents.reduce((sum, { row }) => sum + (row.rssBytes ?? 0), 0)
  return {
    ofAgents: ofAgents.size,
    rssBytes,
    claudesOfAgents: claudes.filter(({ pid }) => ofAgents.has(pid)).length,
    claudesOfNobody: claudes.filter(({ pid }) => !ofAgents.has(pid)).length,
    unattributed: findUnattributed(machine, known),
  }
}

async function attempt<T>(problems: string[], look: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    problems.push(words(error))
    return undefined
  }
}

function realpath(workspace: string): string {
  try {
    return fs.realpathSync(workspace)
  } catch {
    return workspace
  }
}
