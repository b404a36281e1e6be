import fs from 'node:fs'
import path from 'node:path'
import { sharesPids } from '../platform/processes/namespaces.ts'
import {
  type Descriptor,
  inodeOfDescriptor,
  isOpenForWriting,
  type OpenFiles,
} from '../platform/processes/open-files.ts'
import type { AgentEntry } from '../registry/entries.ts'
import { inodeAt, recordedInode } from '../registry/log-inode.ts'
import { logOfPartPath } from '../registry/log-parts.ts'

/** The descriptors that write a log, also after it was deleted. */
export function logWriters(openFiles: OpenFiles, log: string): Descriptor[] {
  // The kernel names a file by the mount through which it was opened, so any path with that name may be the log.
  const paths = new Set([log, ...(logsByName(openFiles).get(path.basename(log)) ?? [])])
  const holders = [...paths].flatMap(one => openFiles.get(one) ?? []).filter(holder => isFile(holder, log))
  const ofDeleted = (openFiles.get(`${log} (deleted)`) ?? []).filter(({ pid }) => sharesPids(pid))
  return [...holders, ...ofDeleted].filter(isOpenForWriting)
}

/** The paths of open logs, by their names. Made once for a scan, because thousands of agents may be asked for. */
const byName = new WeakMap<OpenFiles, ReadonlyMap<string, string[]>>()

function logsByName(openFiles: OpenFiles): ReadonlyMap<string, string[]> {
  let known = byName.get(openFiles)
  if (!known) {
    const logs = [...openFiles.keys()].filter(file => file.endsWith('.jsonl') || file.endsWith('.json'))
    known = Map.groupBy(logs, file => path.basename(file))
    byName.set(openFiles, known)
  }
  return known
}

/**
 * `logWriters`, and the descriptors that write an older part of the log: a tee goes on with a log that was renamed by a
 * rotation. To write such a part is no evidence, because the rotation itself does (gzip, a copy). It only shows that
 * somebody may be at work.
 */
export function partWriters(openFiles: OpenFiles, log: string): Descriptor[] {
  return [log, ...(partsOf(openFiles).get(log) ?? [])].flatMap(file => logWriters(openFiles, file))
}

/**
 * A descriptor by which an agent's log is written, though not the file at its path: that of a part, of a deleted file, or of
 * the one that was deployed.
 */
export function writerElsewhere(
  openFiles: OpenFiles,
  entry: AgentEntry,
  log: string,
): Descriptor | undefined {
  const here = inodeAt(log)
  const isElsewhere = (one: Descriptor) => inodeOfDescriptor(one) !== here
  const found = partWriters(openFiles, log).find(isElsewhere)
  const deployed = recordedInode(entry)
  if (found || deployed === undefined || deployed === here) return found
  const holds = (one: Descriptor) => inodeOfDescriptor(one) === deployed && isOpenForWriting(one)
  return [...openFiles.values()].flat().find(holds)
}

/** Made once for a scan, because thousands of agents may be asked for. */
const known = new WeakMap<OpenFiles, ReadonlyMap<string, string[]>>()

/** The open parts of each log, by the log's path. */
function partsOf(openFiles: OpenFiles): ReadonlyMap<string, string[]> {
  let parts = known.get(openFiles)
  if (!parts) {
    const files = [...openFiles.keys()].filter(file => file.includes('_stream'))
    const plain = new Set(files.map(file => file.replace(/ \(deleted\)$/, '')))
    const of = Map.groupBy(plain, logOfPartPath)
    parts = new Map([...of].flatMap(([log, names]) => (log ? [[log, names] as const] : [])))
    known.set(openFiles, parts)
  }
  return parts
}

/** True for the path of an agent's stream log, in any workspace. */
export const isStreamLog = (file: string): boolean => file.endsWith('_stream.jsonl')

/** In another mount namespace the same path means another file, so device and inode are compared. */
function isFile({ pid, fd }: Descriptor, file: string): boolean {
  try {
    const [held, meant] = [fs.statSync(`/proc/${pid}/fd/${fd}`), fs.statSync(file)]
    return held.dev === meant.dev && held.ino === meant.ino
  } catch {
    return false
  }
}

/** True when a process writes another agent's stream log too: then it is a collector, and belongs to no single agent. */
export function writesOtherLogs(openFiles: OpenFiles, log: string, pid: number): boolean {
  for (const [file, holders] of openFiles) {
    if (file === log || !isStreamLog(file)) continue
    const isAnother = (holder: Descriptor) =>
      holder.pid === pid && !isFile(holder, log) && isOpenForWriting(holder)
    if (holders.some(isAnother)) return true
  }
  return false
}
