import { processesByPid } from '../snapshot/by-pid.ts'
import type { PaneResource, ProcessResource, SessionResource, Snapshot } from '../snapshot/snapshot.ts'
import type { JournalEntry } from './journal.ts'
import type { SystemUnderTest } from './system-under-test.ts'

/** Where an agent works: what of it a system's answer need not name. */
export interface Located {
  claude: ProcessResource | undefined
  pane: PaneResource | undefined
  session: SessionResource | undefined
  /** Its processes from claude upwards that were not there before, such as the shell of its pane or of its pipeline. */
  processes: ProcessResource[]
}

/**
 * Finds an agent by the pid in the journal of its fake claude: the pane is the one below which claude runs, or the one that
 * its environment names.
 */
export async function locate(rig: SystemUnderTest, journal: JournalEntry[]): Promise<Located> {
  const started = journal.find(({ what }) => what === 'started')
  const [now, baseline] = [await rig.snapshot(), await rig.baseline()]
  const processes = processesByPid(now.resources)
  const claude = processes.get(Number(started?.pid))
  const known = new Set(baseline.resources.map(({ id }) => id))
  const line = lineage(claude, processes)
  const pane = paneOf(line, started, now)
  const session = now.resources.find(
    (one): one is SessionResource =>
      one.kind === 'session' && one.serverPid === pane?.serverPid && one.session === pane.session,
  )
  const servers = new Set(now.resources.flatMap(one => (one.kind === 'server' ? one.pid : [])))
  const own = line.filter(one => !known.has(one.id) && !servers.has(one.pid) && one.pid > 1)
  return { claude, pane, session, processes: own }
}

/** A process and its ancestors, up to the pane's process or the first one that is gone. */
function lineage(
  process: ProcessResource | undefined,
  processes: ReadonlyMap<number, ProcessResource>,
): ProcessResource[] {
  const line: ProcessResource[] = []
  for (let at = process; at && !line.includes(at); at = processes.get(at.ppid)) line.push(at)
  return line
}

function paneOf(
  line: ProcessResource[],
  started: JournalEntry | undefined,
  { resources }: Snapshot,
): PaneResource | undefined {
  const panes = resources.filter((one): one is PaneResource => one.kind === 'pane')
  const [, server] = String(started?.TMUX ?? '').split(',')
  return (
    panes.find(({ pid }) => line.some(one => one.pid === pid)) ??
    panes.find(({ pane, serverPid }) => pane === started?.TMUX_PANE && serverPid === Number(server))
  )
}
