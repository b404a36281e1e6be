import { FILE_CLASSES } from '../metrics/file-classes.ts'
import type { DaemonFigures, Health } from '../metrics/health.ts'
import {
  type AgentRow,
  isPendingRow,
  type Measurement,
  oldestPendingSeconds,
  type WorkspaceFigures,
} from '../metrics/measurement.ts'
import { durationText } from '../platform/duration.ts'
import { oneLine } from '../platform/one-line.ts'
import { count, foreignText, size, suspectText } from './format.ts'

/** To how many agents a line says that a suspect may belong. */
const MOST_NAMES = 5
const HEADINGS = ['AGENT', 'STATUS', 'SINCE', 'SESSION', 'PROCS', 'RSS', 'LOG', 'OUTPUT', 'CLEANUP']

/** A measurement for people: a table of agents per workspace, then totals. `all` includes agents whose cleanup is done. */
export function statusLines(found: Measurement, all: boolean): string[] {
  const parts = found.workspaces.flatMap(figures => [...workspaceLines(figures, found.atMs, all), ''])
  return [...parts, ...totalLines(found), ...found.problems.map(problem => `! ${problem}`)]
}

function workspaceLines(
  { workspace, agents, daemon, disk }: WorkspaceFigures,
  atMs: number,
  all: boolean,
): string[] {
  const shown = agents.filter(row => all || isWorthShowing(row))
  const hidden = agents.length - shown.length
  const pending = agents.filter(isPendingRow).length
  const oldest = oldestPendingSeconds(agents, atMs) * 1000
  return [
    workspace,
    ...(shown.length > 0 ? columns(shown, atMs) : []),
    `  ${count(agents.length, 'agent')}${hidden > 0 ? `, ${hidden} of them done and not shown (--all)` : ''}; ${pending > 0 ? `${count(pending, 'cleanup')} pending, the oldest for ${durationText(oldest)}` : 'no cleanup pending'}`,
    `  daemon: ${daemonText(daemon, atMs)}`,
    ...(disk
      ? [
          `  disk: ${
            FILE_CLASSES.filter(name => name !== 'folder' && disk.classes[name].files > 0)
              .map(name => `${name} ${disk.classes[name].files} (${size(disk.classes[name].allocatedBytes)})`)
              .join(', ') || 'no files'
          }; ${size(disk.freeBytes)} free`,
        ]
      : []),
  ]
}

/** After a month there are many agents whose cleanup is done and that have no problem. */
const isWorthShowing = ({ state, problems, unknown }: AgentRow): boolean =>
  state !== 'done' || unknown || problems.length > 0

function columns(rows: readonly AgentRow[], atMs: number): string[] {
  const cells = rows.map(row => cellsOf(row, atMs).map(oneLine))
  const widths = HEADINGS.map((heading, n) =>
    Math.max(heading.length, ...cells.map(cell => cell[n]?.length ?? 0)),
  )
  const line = (cell: readonly string[]) =>
    `  ${cell.map((text, n) => text.padEnd(widths[n] ?? 0)).join('  ')}`.trimEnd()
  return [
    line(HEADINGS),
    ...rows.flatMap((row, n) => [line(cells[n] ?? []), ...row.problems.map(problem => `    ! ${problem}`)]),
  ]
}

function cellsOf(row: AgentRow, atMs: number): string[] {
  const { session, processes, lastOutputMs } = row
  const unknown = row.state === 'done' ? '-' : '?'
  return [
    `${row.taskId}/${row.agentId}`,
    row.status,
    age(Date.parse(row.since ?? ''), atMs),
    session === undefined ? unknown : session ? 'yes' : 'no',
    processes === undefined ? unknown : String(processes),
    row.rssBytes === undefined ? unknown : size(row.rssBytes),
    row.logBytes === undefined ? '-' : size(row.logBytes),
    age(lastOutputMs, atMs),
    row.state === 'live' ? '-' : row.state,
  ]
}

function daemonText({ pid, stopped, health, elsewhere, fresh }: DaemonFigures, atMs: number): string {
  if (health && elsewhere !== undefined)
    return `process ${health.pid} ${elsewhere}, ${beatText(health, fresh, atMs)}`
  if (pid === undefined) return health ? `none; the last one, process ${health.pid}, was killed` : 'none'
  if (stopped)
    return `process ${pid}, stopped: it cleans up nothing until it is continued (kill -CONT ${pid})`
  if (!health) return `process ${pid}, without a health file`
  return `process ${pid}, ${beatText(health, fresh, atMs)}`
}

function beatText({ heartbeat_at, state, reasons }: Health, fresh: boolean, atMs: number): string {
  const beat = `heartbeat ${durationText(atMs - Date.parse(heartbeat_at))} ago${fresh ? '' : ', too long'}`
  return [`${beat}, ${state}`, ...reasons].join('; ')
}

function totalLines({ workspaces, sessions, processes }: Measurement): string[] {
  const statuses = Map.groupBy(
    workspaces.flatMap(({ agents }) => agents),
    ({ status }) => status,
  )
  const counts = [...statuses].map(([status, { length }]) => `${length} ${status}`).join(', ')
  const lines = [`In all: ${counts || 'no agents'}`]
  if (sessions) {
    const { active, ended, leftover, foreign } = sessions
    lines.push(`  sessions: ${active} of live agents, ${ended} of ended agents, ${leftover.length} leftover`)
    lines.push(
      ...leftover.map(
        ({ name, id, socket, why }) =>
          `    ${name} (${id} on ${socket})${why === undefined ? '' : `: ${why}`}`,
      ),
    )
    lines.push(...foreignText(foreign).map(line => `    ${line}`))
  }
  if (processes) {
    const { ofAgents, rssBytes, claudesOfAgents, claudesUnowned, leftovers, suspects } = processes
    lines.push(
      `  processes: ${ofAgents} of agents (${size(rssBytes)}), ${claudesOfAgents} of them claude; ${claudesUnowned} claude of unknown owner; ${leftovers.length} leftover; ${count(suspects.length, 'suspect')}`,
    )
    lines.push(
      ...leftovers.map(({ pid, comm, why, rssBytes: rss }) => `    ${pid} ${comm} (${size(rss)}): ${why}`),
      ...suspects.map(
        one => `    suspect of ${one.agents.slice(0, MOST_NAMES).join(', ')}: ${suspectText(one)}`,
      ),
    )
  }
  return lines
}

/** The time since `sinceMs`; a dash when it is unknown. */
const age = (sinceMs: number | undefined, atMs: number): string =>
  sinceMs === undefined || Number.isNaN(sinceMs) ? '-' : durationText(atMs - sinceMs)
