import path from 'node:path'
import { pipelineShell } from '../containment/pane-shell.ts'
import { inputsOf } from '../platform/processes/channels.ts'
import { type Descriptor, inodeOfDescriptor, isOpenForWriting } from '../platform/processes/open-files.ts'
import { recordedInode } from '../registry/log-inode.ts'
import { logOfPart } from '../registry/log-parts.ts'
import type { Claims } from './evidence.ts'
import { partWriters } from './log-writers.ts'
import type { Observation } from './observation.ts'

const STDOUT = 1

/**
 * The descriptors by which claimed processes write the agent's stream log, wherever that file is by now: somebody may have
 * renamed, moved, deleted or replaced it while it was written. Known by the log's path, by its name in another folder, by
 * the inode that the deploy recorded, or else by its place at the end of the pane's own pipeline. None of these is
 * evidence for a claim: it only tells which file of a claimed process is the log.
 */
export function ownLogDescriptors(observation: Observation, { claimed }: Claims): Descriptor[] {
  if (claimed.size === 0) return []
  const { openFiles, log, entry } = observation
  const atPath = partWriters(openFiles, log).filter(({ pid }) => claimed.has(pid))
  if (atPath.length > 0) return atPath
  const written = [...openFiles].flatMap(([file, holders]) =>
    holders
      .filter(holder => claimed.has(holder.pid) && isOpenForWriting(holder))
      .map(holder => ({ file, holder })),
  )
  const name = path.basename(log)
  const inode = recordedInode(entry)
  const known = written.filter(({ file, holder }) => {
    const now = path.basename(file.replace(/ \(deleted\)$/, ''))
    return now === name || logOfPart(now) === name || (inode && inodeOfDescriptor(holder) === inode)
  })
  if (known.length > 0) return known.map(({ holder }) => holder)
  const shells = shellsOf(observation, claimed)
  return written
    .map(({ holder }) => holder)
    .filter(
      ({ pid, fd }) =>
        shells.has(claimed.get(pid)?.process.ppid ?? -1) && (fd === STDOUT || inputsOf(pid).length > 0),
    )
}

/** The shells that run the pipelines of the agent's panes. */
function shellsOf({ entry }: Observation, claimed: Claims['claimed']): ReadonlySet<number> {
  const panes = [...claimed.values()].filter(({ evidence }) => evidence.some(({ kind }) => kind === 'pane'))
  return new Set(panes.map(({ process }) => pipelineShell(process.pid, entry)))
}
