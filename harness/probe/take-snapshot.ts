import psList, { type ProcessDescriptor } from 'ps-list'
import type { DescriptorResource, Ignored, ProcessResource, Reading, Resource } from '../snapshot/snapshot.ts'
import {
  countDescriptors,
  fileDescriptors,
  heldSockets,
  heldTerminals,
  openDescriptors,
} from './descriptors.ts'
import { readFiles, readPtys } from './files.ts'
import { isForeign } from './own-processes.ts'
import type { Holders, Owners } from './owners.ts'
import { readProcesses } from './processes.ts'
import { readRegistries } from './registries.ts'
import { readSockets } from './sockets.ts'
import { readTmux } from './tmux.ts'

/** Where to look. Everything that scenarios touch lies below `root`, the sandbox's own /tmp. */
export interface View {
  /** The sandbox's private folder. */
  root: string
  /** What the rig itself writes in there: journals, gates, caches. Left out, and said so. */
  own: string
  /** Folders below the root that are not the sandbox's: the project itself, when it lies there. */
  keep: string[]
  owners: Owners
}

/** Every live resource of the sandbox, without the probe's own. */
export async function takeSnapshot(view: View): Promise<Reading> {
  const tmux = await readTmux()
  const all = readProcesses()
  const processes = all.filter(isForeign(all))
  const holders: Holders = new Map()
  const descriptors = processes.flatMap(one => readDescriptors(one, view, holders))
  const files = readFiles(view.root, path => path === view.own || view.keep.includes(path))
  const registry = readRegistries(files)
  const resources: Resource[] = [
    ...tmux.servers,
    ...tmux.sessions,
    ...tmux.panes,
    ...processes,
    ...descriptors,
    ...readPtys(),
    ...readSockets(),
    ...files,
    ...registry.registries,
  ]
  view.owners.attribute(resources, holders)
  return {
    resources,
    ignored: ignoredHere(view, all.length - processes.length),
    problems: [...tmux.problems, ...registry.problems],
  }
}

/**
 * The files that a process holds open; how many descriptors it has in all is noted on the process, and which
 * sockets and terminals it holds in `holders`.
 */
function readDescriptors(one: ProcessResource, view: View, holders: Holders): DescriptorResource[] {
  const open = openDescriptors(one.pid)
  for (const target of [...heldSockets(open).map(inode => `socket:[${inode}]`), ...heldTerminals(open)])
    hold(holders, target, one.pid)
  one.descriptors = countDescriptors(open)
  return fileDescriptors(one, open, view.root).filter(({ path }) => !path.startsWith(view.own))
}

function hold(holders: Holders, target: string, pid: number): void {
  const pids = holders.get(target)
  if (pids) pids.push(pid)
  else holders.set(target, [pid])
}

function ignoredHere(view: View, ownProcesses: number): Ignored[] {
  return [
    { what: 'processes', why: 'the probe, its tools and the sandbox’s reaper', count: ownProcesses },
    { what: view.own, why: 'the rig’s own journals, gates and caches', count: 1 },
  ]
}

/**
 * How many processes a second instrument sees (ps-list, which asks ps twice, for names and for command lines): the
 * probe's own and the two ps are left out in the same way. The first may see the second before it is more than a fork of
 * the probe; but each sees itself as what it is.
 */
export async function countByPs(): Promise<number> {
  const processes = await psList()
  const isPs = ({ ppid, name, cmd }: ProcessDescriptor) =>
    ppid === process.pid && (name === 'ps' || cmd?.startsWith('ps '))
  return processes.filter(isForeign(processes)).filter(one => !isPs(one)).length
}
