import path from 'node:path'
import type { Observation } from '../claims/observation.ts'
import { attempt } from '../errors.ts'
import { bytesOfText } from '../platform/files/bytes-of-text.ts'
import { openWithin } from '../platform/files/within.ts'
import { isOpenForWriting, listDescriptors } from '../platform/processes/open-files.ts'
import { readProcText } from '../platform/processes/proc-file.ts'
import { readProcess } from '../platform/processes/table.ts'
import { agentFiles } from '../registry/agent-files.ts'
import { inodeAt, recordedInode } from '../registry/log-inode.ts'
import { isCompressed, partsIn } from '../registry/log-parts.ts'
import { recordedTmux } from '../tmux/recorded.ts'
import type { HeldLogs } from './held-logs.ts'
import type { PlannedCleanup } from './plan.ts'

/** What is known of the stream log before anything is ended. */
export interface ExpectedLog {
  /** The least number of bytes that its writers have brought to it. */
  bytes: number
  /** The pid of a writer, for the sentence. */
  writer: number | undefined
  /** True when it must have existed: a process writes it, the deploy recorded its inode, or the entry names a log and the agent was started. */
  existed: boolean
  held: ReadonlySet<string>
}

export function expectedLog({ observation, claims }: PlannedCleanup, held: HeldLogs): ExpectedLog {
  const { entry } = observation
  const writers = held.writers()
  const [writer] = writers
  return {
    bytes: writers.length === 1 && writer !== undefined ? writtenBytes(writer) : 0,
    writer,
    existed:
      held.isWritten ||
      recordedInode(entry) !== undefined ||
      (namesLog(observation) && (claims.claimed.size > 0 || recordedTmux(entry) !== undefined)),
    held: new Set(held.inodes()),
  }
}

const namesLog = ({ entry, log }: Observation): boolean =>
  typeof entry.log_file === 'string' && path.basename(entry.log_file) === path.basename(log)

/**
 * How many bytes a tee has written to its file, at least. It writes each byte to its output and to every file, and the
 * kernel counts all that it wrote (`wchar` in proc_pid_io(5)). 0 for any other program, which may have written anything.
 */
function writtenBytes(pid: number): number {
  if (readProcess(pid)?.comm !== 'tee') return 0
  const files = listDescriptors(pid)
    .filter(({ fd }) => fd > 2)
    .filter(isOpenForWriting)
  const all = /^wchar: (\d+)$/m.exec(readProcText(`/proc/${pid}/io`) ?? '')?.[1]
  return Math.floor(Number(all ?? 0) / (1 + files.length))
}

/**
 * The lines of the stream log that no cleanup can save any more, in sentences: called when the agent's processes have ended
 * and before its logs are archived. This is the one place that decides it, and a cleanup with a loss is never clean.
 */
export function lostLines({ observation }: PlannedCleanup, expected: ExpectedLog): string[] {
  const { ref, entry } = observation
  const { root, stream, archive } = agentFiles(ref, entry)
  const name = path.basename(stream)
  const here = filesOf(root, path.dirname(stream), name)
  const began = recordedInode(entry)
  if (here.length === 0) {
    // An earlier cleanup may have got that far.
    if (!expected.existed || filesOf(root, archive, name).length > 0) return []
    return [
      `The stream log ${stream} is lost: it is neither there nor in the archive, and no process of the agent held it open any more.`,
    ]
  }
  if (here.some(({ file }) => isCompressed(file))) return []
  const inodes = new Set([...expected.held, ...here.map(({ inode }) => inode)])
  if (began && !inodes.has(began) && !filesOf(root, archive, name).some(({ inode }) => inode === began))
    return [
      `The stream log ${stream} was replaced by another file (inode ${here[0]?.inode}, deployed with ${began}), and no process of the agent held the first one open any more: its lines are lost.`,
    ]
  const saved = here.reduce((sum, { bytes }) => sum + bytes, 0)
  if (saved >= expected.bytes) return []
  return [
    `The stream log ${stream} was cut short: process ${expected.writer} (tee) had written at least ${expected.bytes} bytes to it, and ${saved} are left. The others are lost.`,
  ]
}

interface FileOfLog {
  file: string
  inode: string
  bytes: number
}

/** A log and its parts in one folder. */
function filesOf(root: string, at: string, name: string): FileOfLog[] {
  using folder = attempt(
    () => openWithin(root, at),
    () => {},
  )
  if (!folder) return []
  return [name, ...partsIn(folder, name)].flatMap(one => {
    const file = folder.at(one)
    const inode = inodeAt(file)
    return inode === undefined ? [] : [{ file: one, inode, bytes: bytesOfText(file) }]
  })
}
