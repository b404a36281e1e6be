import fs from 'node:fs'
import path from 'node:path'
import type { Claims } from '../claims/evidence.ts'
import { NO_TASK } from '../claims/leftovers/sessions.ts'
import type { Observation } from '../claims/observation.ts'
import { ownLogDescriptors } from '../claims/own-logs.ts'
import { attempt } from '../errors.ts'
import type { FileEntry } from '../platform/files/file-entry.ts'
import { appendFrom, createNumbered } from '../platform/files/move-file.ts'
import { openRegular } from '../platform/files/regular-file.ts'
import { ownUid } from '../platform/files/trust.ts'
import { openMade, openWithin, removeWithin, within } from '../platform/files/within.ts'
import { type Descriptor, isOpenForWriting } from '../platform/processes/open-files.ts'
import { readProcLink } from '../platform/processes/proc-file.ts'
import { type AgentFiles, agentFiles } from '../registry/agent-files.ts'
import { agentOfLog } from '../registry/layout.ts'
import { inodeAt, inodeText } from '../registry/log-inode.ts'
import { partsIn } from '../registry/log-parts.ts'
import { isWorkspaceFolder } from '../registry/require-workspace.ts'

const { O_RDONLY, O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = fs.constants

/** One file that the agent's processes write as its stream log, kept open by us. */
interface HeldLog {
  fd: number
  inode: string
  writer: Descriptor
  /** What has been saved of it, where it has no name by which it is archived anyway. */
  copy?: { file: string; bytes: number }
}

/**
 * The stream log as the agent's processes hold it, kept open from before the first signal until its lines are in the
 * archive: a log that was deleted, replaced or moved away can be reached only by their descriptors, which end with them.
 */
export class HeldLogs implements Disposable {
  readonly #observation: Observation
  readonly #held: HeldLog[] = []
  readonly #byWriter = new Map<number, number>()
  readonly #isListed: boolean
  /** True when a claimed process writes a log, also one that we may not open. */
  readonly isWritten: boolean

  /**
   * `isListed`: false for an agent that no task's registry lists. No log that has a name is tied to it then, but one that was
   * deleted ends with its processes.
   */
  constructor(observation: Observation, claims: Claims, isListed: boolean) {
    this.#observation = observation
    this.#isListed = isListed
    const writers = ownLogDescriptors(observation, claims)
    this.isWritten = writers.length > 0
    for (const writer of writers) {
      const opened = reopen(writer)
      if (!opened) continue
      if (!isListed && fs.fstatSync(opened.fd).nlink > 0) {
        fs.closeSync(opened.fd)
        continue
      }
      const known = this.#held.find(({ inode }) => inode === opened.inode)
      if (known) fs.closeSync(opened.fd)
      else this.#held.push({ ...opened, writer })
      this.#byWriter.set(writer.pid, known?.fd ?? opened.fd)
    }
  }

  inodes(): string[] {
    return this.#held.map(({ inode }) => inode)
  }

  /** The pids of the processes that wrote the log. */
  writers(): number[] {
    return this.#held.map(({ writer }) => writer.pid)
  }

  /** Our descriptor of the log that a process writes, by the pid of each. */
  byWriter(): ReadonlyMap<number, number> {
    return this.#byWriter
  }

  /** The files that have to be copied, each by the path that the kernel has for it, for a plan. */
  nameless(): FileEntry[] {
    return this.#nameless()
      .filter(held => this.#placeFor(held))
      .map(describeHeld)
  }

  /** Those for which there is no place, in sentences: they are lost with their last process. */
  unsavable(): string[] {
    return this.#nameless()
      .filter(held => !this.#placeFor(held))
      .map(describeHeld)
      .map(
        ({ file, bytes }) =>
          `The stream log ${file} was deleted with its workspace, so there is no place to save it: its ${bytes} bytes, which only the agent’s processes hold, are lost with them.`,
      )
  }

  /** What has been saved, from where and to where. */
  copies(): { from: string; to: string }[] {
    return this.#held.flatMap(({ fd, copy }) => (copy ? [{ from: targetOf(fd), to: copy.file }] : []))
  }

  /** Our descriptors of these files, open as long as this is. */
  namelessDescriptors(): number[] {
    return this.#nameless().map(({ fd }) => fd)
  }

  /**
   * Copies whatever has no name among the agent's logs into their folder, or else into the archive, and syncs it to disk; a
   * copy that was begun earlier is continued. Returns what could not be saved, in sentences. `isLast`: the writers have
   * ended, so a copy that could not be finished is better than none.
   */
  save(isLast: boolean): string[] {
    return this.#nameless().flatMap(held => {
      const files = this.#placeFor(held)
      if (!files) return []
      let problem: string[] = []
      attempt(
        () => {
          held.copy ??= createCopy(files, held)
          // A file that has become shorter was truncated, and written anew from its beginning.
          const from = fs.fstatSync(held.fd).size < held.copy.bytes ? 0 : held.copy.bytes
          held.copy.bytes = append(files.root, held.copy.file, held.fd, from)
        },
        why => {
          problem = [why]
        },
      )
      if (problem.length > 0 && !isLast) dropCopy(held, files.root)
      return problem
    })
  }

  /** The first process that still writes one of the files, although everything claimed has ended. Its lines are not lost yet. */
  stillWritten({ openFiles }: Observation): number | undefined {
    for (const held of this.#nameless()) {
      const writer = openFiles.get(targetOf(held.fd))?.find(isOpenForWriting)
      if (!writer) continue
      dropCopy(held, this.#placeFor(held)?.root ?? '')
      return writer.pid
    }
    return undefined
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#held) fs.closeSync(fd)
  }

  #nameless(): HeldLog[] {
    if (this.#held.length === 0 || !this.#isListed) return this.#held
    const files = this.#files()
    return this.#held.filter(held => held.copy || !isNamed(held, files))
  }

  /** Where a file is to be saved; undefined where its workspace is gone. */
  #placeFor({ fd }: HeldLog): Place | undefined {
    return this.#isListed ? this.#files() : unlistedPlace(this.#observation, targetOf(fd))
  }

  // Resolved anew: since the plan was made somebody may have put a link in the way.
  #files(): AgentFiles {
    return agentFiles(this.#observation.ref, this.#observation.entry)
  }
}

/** Opens for reading what a process writes. Only a regular file of our own user is opened. */
function reopen({ pid, fd }: Descriptor): { fd: number; inode: string } | undefined {
  const at = `/proc/${pid}/fd/${fd}`
  return attempt(
    () => {
      // Asked first: to open a device or a FIFO can have an effect.
      const seen = fs.statSync(at, { bigint: true })
      if (!seen.isFile() || Number(seen.uid) !== ownUid()) return undefined
      const own = fs.openSync(at, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      const stat = fs.fstatSync(own, { bigint: true })
      if (stat.ino === seen.ino && stat.dev === seen.dev) return { fd: own, inode: inodeText(stat) }
      fs.closeSync(own)
      return undefined
    },
    () => {},
  )
}

/** True when the file has a name by which it is archived, or is in the archive already. */
function isNamed({ fd, inode }: HeldLog, { root, stream, archive }: AgentFiles): boolean {
  if (fs.fstatSync(fd).nlink === 0) return false
  if (inodeAt(stream) === inode) return true
  const name = path.basename(stream)
  return [path.dirname(stream), archive].some(at => {
    using folder = attempt(() => openWithin(root, at), noFolder)
    if (!folder) return false
    return [name, ...partsIn(folder, name)].some(one => inodeAt(folder.at(one)) === inode)
  })
}

const noFolder = () => {}

/** Where a log without a name is saved. */
interface Place {
  root: string
  archive: string
  /** Where the log had its name; undefined for that of an agent that no task's registry lists. */
  stream?: string
}

/**
 * The archive of the task that an unlisted agent's marker names, or without one that its log was in. It is made again where it
 * was removed; a workspace is not.
 */
function unlistedPlace({ ref, log }: Observation, target: string): Place | undefined {
  if (!isWorkspaceFolder(ref.workspace)) return undefined
  const file = target.replace(/ \(deleted\)$/, '')
  const taskId = ref.taskId === NO_TASK ? (agentOfLog(log) ?? agentOfLog(file))?.taskId : ref.taskId
  if (taskId === undefined || taskId === NO_TASK) return undefined
  const { archive, root } = agentFiles({ ...ref, taskId }, { id: ref.agentId, status: '' })
  return { root, archive }
}

/**
 * In the logs' folder, so that a cleanup that is killed halfway leaves a log that the next one archives. No cleanup archives that
 * of an unlisted agent.
 */
function createCopy({ root, stream, archive }: Place, { fd }: HeldLog): NonNullable<HeldLog['copy']> {
  const name = path.basename(stream ?? targetOf(fd).replace(/ \(deleted\)$/, ''))
  const create = (at: string) => {
    using folder = openMade(root, at)
    return {
      file: path.join(at, createNumbered(folder, name, fs.fstatSync(fd).mode)),
      bytes: 0,
    }
  }
  const inLogs = stream === undefined ? undefined : attempt(() => create(path.dirname(stream)), noFolder)
  return inLogs ?? create(archive)
}

/** Opened anew each time: a descriptor that stays open would look like a process that still writes the log. */
function append(root: string, file: string, from: number, position: number): number {
  const to = within(root, file, (at, owner) => openRegular(at, owner, O_WRONLY | O_APPEND))
  try {
    return appendFrom(from, to, position)
  } finally {
    fs.closeSync(to)
  }
}

function dropCopy(held: HeldLog, root: string): void {
  if (!held.copy) return
  removeWithin(root, held.copy.file)
  delete held.copy
}

function describeHeld({ fd }: HeldLog): FileEntry {
  const { size, mtimeMs } = fs.fstatSync(fd)
  return { file: targetOf(fd), bytes: size, ageMs: Date.now() - mtimeMs }
}

const targetOf = (fd: number): string => readProcLink(`/proc/self/fd/${fd}`) ?? ''
