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
  const tmux =
    isWhole && machine
      ? await attemptAsync(() => measureSessions(agents, roots, machine.table), onFailure)
      : undefined
  return {
    atMs,
    workspaces: measured.map(({ workspace, agents: own, disk }) => ({
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

/** Counts the sessions by owner; the workspaces are real paths. Throws a CleanupError (`tmux-unreachable`). */
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
