import fs from 'node:fs'
import type { Counters } from './counters.ts'
import type { Family, Sample } from './exposition.ts'
import { FILE_CLASSES } from './file-classes.ts'
import type { Measurement, WorkspaceFigures } from './measurement.ts'
import { isPendingRow, oldestPendingSeconds } from './pending.ts'

/**
 * What one look found, as metric families. No agent is a label: each would be a time series for ever, and
 * `leakrig status` tells them apart. What is not known has no sample.
 */
export function machineFamilies(found: Measurement): Family[] {
  const { sessions, processes, workspaces } = found
  const of = (name: string, help: string, samples: Sample[]): Family => gauge(name, help, samples)
  const perWorkspace = (samples: (figures: WorkspaceFigures) => Sample[]) => workspaces.flatMap(samples)
  return [
    of(
      'tmux_sessions',
      'Sessions of live agents, of ended agents, and leftover sessions: named agent_* and listed nowhere.',
      sessions
        ? [
            { labels: { state: 'active' }, value: sessions.active },
            { labels: { state: 'ended' }, value: sessions.ended },
            { labels: { state: 'leftover' }, value: sessions.leftover.length },
          ]
        : [],
    ),
    of(
      'claude_processes',
      'Processes named claude, by owner: an agent, or unknown (a user may run some).',
      processes
        ? [
            { labels: { owner: 'agent' }, value: processes.claudesOfAgents },
            { labels: { owner: 'unknown' }, value: processes.claudesUnowned },
          ]
        : [],
    ),
    of('agent_processes', 'Processes that belong to agents.', one(processes?.ofAgents)),
    of(
      'agent_resident_bytes',
      'Resident memory of the processes of agents; shared pages count for each.',
      one(processes?.rssBytes),
    ),
    of(
      'leftover_processes',
      'Leaked processes: they bear a trace of an agent that is cleaned up or listed nowhere.',
      one(processes?.leftovers.length),
    ),
    of('agents', 'Agents by the status in their registry.', perWorkspace(byStatus)),
    of(
      'pending_cleanups',
      'Agents whose end is on disk and whose cleanup is not done.',
      perWorkspace(({ workspace, agents }) => [
        { labels: { workspace }, value: agents.filter(isPendingRow).length },
      ]),
    ),
    of(
      'oldest_pending_cleanup_seconds',
      'How long the oldest pending cleanup has waited; 0 when none is pending.',
      perWorkspace(({ workspace, agents }) => [
        { labels: { workspace }, value: oldestPendingSeconds(agents, found.atMs) },
      ]),
    ),
    of('files', 'Files by class.', perWorkspace(byClass('files'))),
    of('file_bytes', 'Lengths of files by class.', perWorkspace(byClass('bytes'))),
    of(
      'disk_bytes',
      'Disk space of files by class, as du counts it.',
      perWorkspace(byClass('allocatedBytes')),
    ),
    of(
      'disk_free_bytes',
      'What may still be written on the file system of the workspace.',
      perWorkspace(({ workspace, disk }) => (disk ? [{ labels: { workspace }, value: disk.freeBytes }] : [])),
    ),
    of(
      'measure_problems',
      'What could not be read or asked; its figures are missing.',
      one(found.problems.length),
    ),
    of('measure_seconds', 'How long the last look took.', one(found.tookMs / 1000)),
  ]
}

/** What the daemon counts, and what it takes itself. */
export function daemonFamilies(counters: Counters): Family[] {
  return [
    {
      name: 'leakrig_cleanups_total',
      help: 'Cleanups of this daemon by outcome.',
      type: 'counter',
      samples: [...counters.outcomes].map(([outcome, value]) => ({ labels: { outcome }, value })),
    },
    {
      name: 'leakrig_time_to_baseline_seconds',
      help: 'From when an end was written to when nothing of the agent was left.',
      type: 'histogram',
      samples: counters.timeToBaseline.samples(),
    },
    {
      name: 'leakrig_mass_deaths_total',
      help: 'How often most agents of a workspace died at once.',
      type: 'counter',
      samples: one(counters.massDeaths),
    },
    gauge(
      'last_round_timestamp_seconds',
      'When the daemon last went round.',
      one(counters.lastRoundMs === undefined ? undefined : counters.lastRoundMs / 1000),
    ),
    gauge('daemon_start_timestamp_seconds', 'When the daemon started.', one(counters.startedAtMs / 1000)),
    gauge('daemon_resident_bytes', 'Resident memory of the daemon.', one(process.memoryUsage.rss())),
    gauge('daemon_open_descriptors', 'Open descriptors of the daemon.', one(openDescriptors())),
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
    // The listing itself has one open while it looks.
    return fs.readdirSync('/proc/self/fd').length - 1
  } catch {
    return undefined
  }
}
