import fs from 'node:fs'
import type { Counters } from './counters.ts'
import type { Family, Sample } from './exposition.ts'
import { FILE_CLASSES } from './file-classes.ts'
import {
  type AgentRow,
  isPendingRow,
  type Measurement,
  oldestPendingSeconds,
  type WorkspaceFigures,
} from './measurement.ts'

/**
 * A measurement as metric families. Agents are not labels, because each would be a time series that never ends;
 * `leakrig status` lists them. An unknown figure has no sample.
 */
export function machineFamilies({ atMs, tookMs, ...found }: Measurement): Family[] {
  const { sessions, processes, workspaces, problems } = found
  const byWorkspace = (figure: (agents: AgentRow[]) => number): Sample[] =>
    workspaces.map(({ workspace, agents }) => ({ labels: { workspace }, value: figure(agents) }))
  return [
    gauge(
      'tmux_sessions',
      'tmux sessions of live agents, of ended agents whose cleanup is pending, leftovers (named agent_*, of no listed agent), and those of other workspaces (foreign).',
      sessions
        ? [
            { labels: { state: 'active' }, value: sessions.active },
            { labels: { state: 'ended' }, value: sessions.ended },
            { labels: { state: 'leftover' }, value: sessions.leftover.length },
            { labels: { state: 'foreign' }, value: sessions.foreign.length },
          ]
        : [],
    ),
    gauge(
      'claude_processes',
      'Processes named claude that belong to an agent, and others, which may be a user’s own.',
      processes
        ? [
            { labels: { owner: 'agent' }, value: processes.claudesOfAgents },
            { labels: { owner: 'unknown' }, value: processes.claudesUnowned },
          ]
        : [],
    ),
    gauge('agent_processes', 'Processes that belong to agents.', one(processes?.ofAgents)),
    gauge(
      'agent_resident_bytes',
      'Resident memory of the agents’ processes; a shared page counts in each of them.',
      one(processes?.rssBytes),
    ),
    gauge(
      'leftover_processes',
      'Processes that bear a trace of an agent which is cleaned up or not listed.',
      one(processes?.leftovers.length),
    ),
    gauge(
      'suspect_processes',
      'Processes that may be an agent’s although no evidence ties them to one; they are never ended.',
      one(processes?.suspects.length),
    ),
    gauge('agents', 'Agents by the status in their registry.', workspaces.flatMap(byStatus)),
    gauge(
      'pending_cleanups',
      'Agents whose end is recorded and whose cleanup is not done.',
      byWorkspace(agents => agents.filter(isPendingRow).length),
    ),
    gauge(
      'oldest_pending_cleanup_seconds',
      'Age of the oldest pending cleanup; 0 when none is pending.',
      byWorkspace(agents => oldestPendingSeconds(agents, atMs)),
    ),
    gauge('files', 'Files in the workspace by class.', workspaces.flatMap(byClass('files'))),
    gauge(
      'file_bytes',
      'Total length of the files in the workspace by class.',
      workspaces.flatMap(byClass('bytes')),
    ),
    gauge(
      'disk_bytes',
      'Disk space that the files in the workspace use by class, as du counts it.',
      workspaces.flatMap(byClass('allocatedBytes')),
    ),
    gauge(
      'disk_free_bytes',
      'Space on the file system of the workspace that an unprivileged user can write.',
      workspaces.flatMap(({ workspace, disk }) =>
        disk ? [{ labels: { workspace }, value: disk.freeBytes }] : [],
      ),
    ),
    gauge(
      'measure_problems',
      'Registries, tmux servers and other sources that could not be read; figures that need them are missing.',
      one(problems.length),
    ),
    gauge('measure_seconds', 'Duration of the last measurement.', one(tookMs / 1000)),
  ]
}

/** The daemon's counters, and the resources that the daemon itself uses. */
export function daemonFamilies(counters: Counters): Family[] {
  const { outcomes, timeToBaseline, massDeaths, lastCheckMs, startedAtMs } = counters
  return [
    {
      name: 'leakrig_cleanups_total',
      help: 'Cleanups by outcome since the daemon started.',
      type: 'counter',
      samples: [...outcomes].map(([outcome, value]) => ({ labels: { outcome }, value })),
    },
    {
      name: 'leakrig_time_to_baseline_seconds',
      help: 'Time from the recorded end of an agent until nothing of the agent was left.',
      type: 'histogram',
      samples: timeToBaseline.samples(),
    },
    {
      name: 'leakrig_mass_deaths_total',
      help: 'Events in which most agents of a workspace died at once.',
      type: 'counter',
      samples: one(massDeaths),
    },
    gauge(
      'last_check_timestamp_seconds',
      'Start of the daemon’s last check, in Unix time.',
      one(lastCheckMs === undefined ? undefined : lastCheckMs / 1000),
    ),
    gauge('daemon_start_timestamp_seconds', 'Start of the daemon, in Unix time.', one(startedAtMs / 1000)),
    gauge('daemon_resident_bytes', 'Resident memory of the daemon.', one(process.memoryUsage.rss())),
    gauge('daemon_open_descriptors', 'Open file descriptors of the daemon.', one(openDescriptors())),
  ]
}

function gauge(name: string, help: string, samples: Sample[]): Family {
  return { name: `leakrig_${name}`, help, type: 'gauge', samples }
}

const one = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ value }])

function byStatus({ workspace, agents }: WorkspaceFigures): Sample[] {
  const counts = Map.groupBy(agents, ({ status }) => status)
  return [...counts].map(([status, { length }]) => ({ labels: { workspace, status }, value: length }))
}

const byClass =
  (figure: 'files' | 'bytes' | 'allocatedBytes') =>
  ({ workspace, disk }: WorkspaceFigures): Sample[] =>
    disk
      ? FILE_CLASSES.map(name => ({ labels: { workspace, class: name }, value: disk.classes[name][figure] }))
      : []

function openDescriptors(): number | undefined {
  try {
    // Without the descriptor that reads this folder.
    return fs.readdirSync('/proc/self/fd').length - 1
  } catch {
    return undefined
  }
}
