import { findLeftoverProcesses } from '../claims/leftovers/processes.ts'
import { leftoverSessions, livePanes } from '../claims/leftovers/sessions.ts'
import { attemptAsync } from '../errors.ts'
import { realWorkspace } from '../platform/files/real-path.ts'
import { hasEnded } from '../platform/processes/stat.ts'
import { type Machine, readMachine } from '../platform/processes/table.ts'
import { validateWorkspace } from '../registry/layout.ts'
import { readServer, type TmuxServer, type TmuxSession } from '../tmux/server.ts'
import { socketsOf } from '../tmux/sockets.ts'
import { readDaemon } from './health.ts'
import { isClaude, type MeasuredAgent } from './measure-agent.ts'
import { measureWorkspace } from './measure-workspace.ts'
import type { Measurement, ProcessFigures, SessionFigures } from './measurement.ts'

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
  const onFailure = (problem: string) => problems.push(problem)
  const machine = await attemptAsync(readMachine, onFailure)
  const seen = await Promise.all(workspaces.map(workspace => measureWorkspace(workspace, machine)))
  problems.push(...seen.flatMap(part => part.problems))
  const agents = seen.flatMap(part => part.agents)
  const roots = new Set(workspaces.map(realWorkspace))
  // A registry or a session that could not be read may own any session and any process: nothing counts as a leftover then.
  const isWhole =
    seen.every(part => part.isWhole) && !agents.some(({ row }) => row.unknown && row.state !== 'done')
  const tmux =
    isWhole && machine
      ? await attemptAsync(() => measureSessions(agents, roots, machine.table), onFailure)
      : undefined
  return {
    atMs,
    workspaces: seen.map(({ workspace, agents: own, disk }) => ({
      workspace,
      agents: own.map(({ row }) => row),
      daemon: readDaemon(workspace, atMs),
      disk,
    })),
    sessions: tmux?.figures,
    processes: machine && tmux ? processFigures(machine, agents, roots, tmux) : undefined,
    problems: [...new Set(problems)],
    tookMs: performance.now() - startedAt,
  }
}

interface MeasuredSessions {
  figures: SessionFigures
  servers: TmuxServer[]
  leftovers: TmuxSession[]
}

/** Counts the sessions by whose they are; the workspaces are real paths. Throws `tmux-unreachable`. */
async function measureSessions(
  agents: readonly MeasuredAgent[],
  workspaces: ReadonlySet<string>,
  table: Machine['table'],
): Promise<MeasuredSessions> {
  const entries = agents.map(({ entry }) => entry)
  const replies = await Promise.all(socketsOf(entries).map(socket => readServer(socket)))
  const found: MeasuredSessions = {
    figures: { active: 0, ended: 0, leftover: [] },
    servers: replies.filter(server => server !== undefined),
    leftovers: [],
  }
  const owners = new Map<string, MeasuredAgent>()
  for (const agent of agents) {
    const { server, session } = agent.location ?? {}
    if (server && session) owners.set(`${server.pid} ${session.id}`, agent)
  }
  const isLeftover = leftoverSessions(workspaces, entries, table)
  for (const { pid, socket, sessions } of found.servers)
    for (const session of sessions) {
      const owner = owners.get(`${pid} ${session.id}`)
      if (owner) found.figures[owner.row.state === 'live' ? 'active' : 'ended'] += 1
      else if (isLeftover(session)) {
        found.leftovers.push(session)
        found.figures.leftover.push({ name: session.name, id: session.id, socket })
      }
    }
  return found
}

function processFigures(
  machine: Machine,
  agents: readonly MeasuredAgent[],
  workspaces: ReadonlySet<string>,
  { servers, leftovers }: MeasuredSessions,
): ProcessFigures {
  const ofAgents = new Set(agents.flatMap(agent => agent.processes.map(({ pid }) => pid)))
  const claudes = [...machine.table.values()].filter(one => isClaude(one) && !hasEnded(one))
  return {
    ofAgents: ofAgents.size,
    rssBytes: agents.reduce((sum, { row }) => sum + (row.rssBytes ?? 0), 0),
    claudesOfAgents: claudes.filter(({ pid }) => ofAgents.has(pid)).length,
    claudesUnowned: claudes.filter(({ pid }) => !ofAgents.has(pid)).length,
    leftovers: findLeftoverProcesses(machine, {
      agents: agents.map(({ row, entry, processes }) => ({
        ref: row,
        entry,
        processes,
        isDone: row.state === 'done',
      })),
      workspaces,
      servers: new Set(servers.map(({ pid }) => pid)),
      panes: leftovers.flatMap(livePanes),
    }),
  }
}
