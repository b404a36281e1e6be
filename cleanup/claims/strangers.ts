import fs from 'node:fs'
import path from 'node:path'
import { inodeOf } from '../platform/files/real-path.ts'
import { isInOtherNamespace } from '../platform/processes/namespaces.ts'
import {
  type Descriptor,
  inodeOfDescriptor,
  isOpenForWriting,
  type OpenFiles,
} from '../platform/processes/open-files.ts'
import type { Machine } from '../platform/processes/table.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { workspaceOfLog } from '../registry/layout.ts'
import { recordedInode } from '../registry/log-inode.ts'
import { logOfPart } from '../registry/log-parts.ts'
import { parseTimestamp } from '../registry/timestamps.ts'
import { isDeployedHere, recordedWorld } from '../registry/world.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import { LATE_MS } from './age.ts'
import { partWriters } from './log-writers.ts'

/**
 * True for a process in a pid namespace below ours that the kernel does not tie to the agent's pane: it may be all that we
 * see of an agent which lives in a container. A sandbox that was started in the pane is in the pane's session.
 */
export function isStranger(pid: number, entry: AgentEntry, { table }: Pick<Machine, 'table'>): boolean {
  if (!isInOtherNamespace(pid)) return false
  const pane = recordedWorld(entry) && isDeployedHere(entry) ? recordedTmux(entry)?.pane_pid : undefined
  return pane === undefined || table.get(pid)?.sid !== pane
}

/**
 * The pid of a stranger that writes an agent's log, at its path or after somebody has deleted, renamed or moved it. It means
 * that the agent lives, and claims nothing.
 */
export function strangerAtLog(entry: AgentEntry, log: string, machine: Machine): number | undefined {
  const isAtWork = ({ pid }: Descriptor) => isStranger(pid, entry, machine)
  const isOfAgent = ({ file, holder }: HeldElsewhere) =>
    mayBeLog(file, log) && isAtWork(holder) && isLog(file, holder, entry, log)
  const atPath = partWriters(machine.openFiles, log).find(isAtWork)
  return (atPath ?? heldElsewhere(machine.openFiles).find(isOfAgent)?.holder)?.pid
}

interface HeldElsewhere {
  file: string
  holder: Descriptor
}

const known = new WeakMap<OpenFiles, HeldElsewhere[]>()

/** The logs that processes in other pid namespaces write. Made once for a scan, because thousands of agents may be asked for. */
function heldElsewhere(openFiles: OpenFiles): HeldElsewhere[] {
  const found =
    known.get(openFiles) ??
    [...openFiles]
      .filter(([file]) => path.basename(file).includes('_stream'))
      .flatMap(([file, holders]) => holders.map(holder => ({ file, holder })))
      .filter(({ holder }) => isInOtherNamespace(holder.pid) && isOpenForWriting(holder))
  known.set(openFiles, found)
  return found
}

const DELETED = / \(deleted\)$/

/** True for the log's name in any folder, also with something added to it (`.bak`). */
function mayBeLog(file: string, log: string): boolean {
  const name = path.basename(log)
  const held = path.basename(file.replace(DELETED, ''))
  return logOfPart(held) === name || (held.startsWith(name) && !/[\w-]/.test(held.charAt(name.length)))
}

/**
 * True unless the file must be another one: a container may have the same agents in a workspace of its own. A file that is, or
 * was, in another workspace is that one's. Elsewhere, it must be near the workspace and as old as the agent.
 */
function isLog(file: string, holder: Descriptor, entry: AgentEntry, log: string): boolean {
  const recorded = recordedInode(entry)
  if (recorded !== undefined && inodeOfDescriptor(holder) === recorded) return true
  const stat = fs.statSync(`/proc/${holder.pid}/fd/${holder.fd}`, { throwIfNoEntry: false })
  const workspace = workspaceOfLog(log)
  if (!stat || stat.dev !== fs.statSync(workspace, { throwIfNoEntry: false })?.dev) return false
  // The kernel shows the path as the process sees it, unless we see the same mount.
  const own = inodeOf(workspace)
  const named = workspaceOfLog(file)
  const places = [`/proc/${holder.pid}/root${named}`, named].flatMap(one => inodeOf(one) ?? [])
  if (places.includes(own ?? '')) return true
  const isInWorkspace = path.basename(path.dirname(file)) === path.basename(path.dirname(log))
  if (isInWorkspace && places.length > 0) return false
  // Anybody's agent may have this name. Somebody who moves a log by hand mostly leaves it near.
  if (!file.startsWith(`${path.dirname(workspace)}${path.sep}`)) return false
  const { earliest, latest } = parseTimestamp(entry.started_at)
  return stat.birthtimeMs > earliest - LATE_MS && stat.birthtimeMs < latest + LATE_MS
}
