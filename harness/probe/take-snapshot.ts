import { join } from 'node:path'
import psList, { type ProcessDescriptor } from 'ps-list'
import type { Layout } from '../definition/system.ts'
import type { DescriptorResource, Ignored, ProcessResource, Reading, Resource } from '../snapshot/snapshot.ts'
import { claudeLinks } from './claude-links.ts'
import {
  countDescriptors,
  fileDescriptors,
  heldSockets,
  heldTerminals,
  openDescriptors,
} from './descriptors.ts'
import { readFiles, readPtys } from './files.ts'
import { isNotOurs } from './own-processes.ts'
import type { Holders, Owners } from './owners.ts'
import { readProcesses } from './processes.ts'
import { readRegistries } from './registries.ts'
import { readSockets } from './sockets.ts'
import { terminalOf, userPids } from './terminals.ts'
import { readTmux } from './tmux.ts'

/** What a snapshot covers. Everything that scenarios touch lies below `root`, the sandbox's own /tmp. */
export interface SnapshotScope {
  /** The sandbox's private folder. */
  root: string
  /** What the rig itself writes: journals, gates, caches. Left out, and listed as ignored. */
  own: string
  /** Folders below the root that are not the sandbox's, such as the project itself. */
  keep: string[]
  owners: Owners
  /** What the files of the system are. */
  layout: Layout
}

/** Every live resource of the sandbox, without the probe's own. */
export async function takeSnapshot(scope: SnapshotScope): Promise<Reading> {
  const tmux = await readTmux()
  const all = readProcesses()
  const processes = all.filter(isNotOurs(all))
  const usersTerminals = terminalsOfUsers(all, processes)
  const holders: Holders = new Map()
  const descriptors = processes.flatMap(one => readDescriptors(one, scope, holders))
  const notTheirs = new Set([scope.own, ...scope.keep, ...claudeLinks(join(scope.root, 'home'))])
  const files = readFiles(scope.root, scope.layout, path => notTheirs.has(path))
  const registry = readRegistries(files, scope.layout)
  const resources: Resource[] = [
    ...tmux.servers,
    ...tmux.sessions,
    ...tmux.panes,
    ...processes,
    ...descriptors,
    ...readPtys().filter(({ path }) => !usersTerminals.has(path)),
    ...readSockets(),
    ...files,
    ...registry.registries,
  ]
  scope.owners.attribute(resources, holders)
  return {
    resources,
    ignored: ignoredHere(scope, all.length - processes.length),
    problems: [...tmux.problems, ...registry.problems],
  }
}

/** The terminals of the shells that a person has in the sandbox. */
function terminalsOfUsers(all: ProcessResource[], counted: ProcessResource[]): Set<string | undefined> {
  if (userPids.size === 0) return new Set()
  const others = new Set(counted)
  return new Set(all.flatMap(one => (others.has(one) ? [] : terminalOf(one.tty))))
}

/**
 * The files that a process holds open. Sets the number of all its descriptors on the process, and adds the sockets and
 * terminals that it holds to `holders`.
 */
function readDescriptors(one: ProcessResource, scope: SnapshotScope, holders: Holders): DescriptorResource[] {
  const open = openDescriptors(one.pid)
  for (const target of [...heldSockets(open).map(inode => `socket:[${inode}]`), ...heldTerminals(open)])
    hold(holders, target, one.pid)
  one.descriptors = countDescriptors(open)
  return fileDescriptors(one, open, scope.root).filter(({ path }) => !path.startsWith(`${scope.own}/`))
}

function hold(holders: Holders, target: string, pid: number): void {
  const pids = holders.get(target)
  if (pids) pids.push(pid)
  else holders.set(target, [pid])
}

function ignoredHere(scope: SnapshotScope, ownProcesses: number): Ignored[] {
  return [
    { what: 'processes', why: 'the probe, its tools and the sandbox’s reaper', count: ownProcesses },
    { what: scope.own, why: 'the rig’s own journals, gates and caches', count: 1 },
  ]
}

/**
 * How many processes a second instrument counts: ps-list, which runs ps twice, for names and for command lines. The
 * probe's own processes are left out as in a snapshot, and so are the two ps. The first ps may list the second one while
 * that is still a fork of the probe, but each lists itself as ps.
 */
export async function countByPs(): Promise<number> {
  const processes = await psList()
  const isPs = ({ ppid, name, cmd }: ProcessDescriptor) =>
    ppid === process.pid && (name === 'ps' || cmd?.startsWith('ps '))
  return processes.filter(isNotOurs(processes)).filter(one => !isPs(one)).length
}
