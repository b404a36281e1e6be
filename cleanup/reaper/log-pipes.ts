import fs from 'node:fs'
import { attempt } from '../errors.ts'
import { ownUid } from '../platform/files/trust.ts'
import { pipeInto } from '../platform/processes/channels.ts'
import type { Identity } from '../platform/processes/identity.ts'
import {
  type Descriptor,
  descriptorTarget,
  isOpenForReading,
  listDescriptors,
} from '../platform/processes/open-files.ts'
import { readProcText } from '../platform/processes/proc-file.ts'
import type { Process } from '../platform/processes/stat.ts'
import { readTableNow } from '../platform/processes/table.ts'
import type { PlannedCleanup } from './plan.ts'
import { resumeTerminal } from './resume-terminal.ts'

const { O_RDONLY, O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = fs.constants

/** After which time, in ms, a log writer that has not ended is helped on. Most end within a few. */
const HELP_AFTER_MS = 100
/** How often the readers of a log writer's output are searched for, in ms: it takes the descriptors of every process. */
const SEARCH_MS = 100
const CHUNK_BYTES = 1 << 16
/** What is read of a pipe at most at once, so that a writer that never stops holds up nothing. */
const MOST_CHUNKS = 64

/** A pipe, kept open by us for reading. */
interface HeldPipe {
  fd: number
  /** As the kernel names it in /proc. */
  target: string
  /** True when no other process reads it any more. */
  isUnread: boolean
}

interface LogWriter {
  process: Process
  /** Our descriptor of the log; undefined for a filter before it, whose input is of no use without the filter. */
  log: number | undefined
  /** Undefined where it is no pipe, but a socket or a terminal that the process serves. */
  input: HeldPipe | undefined
  outputs: HeldPipe[]
  isHelped: boolean
  searchedAt: number
  /** True when it was killed although it may have had something to write. */
  isCut: boolean
  /** How many bytes of its input we have brought to the log, and how many we could not. */
  saved: number
  unsaved: number
  why: string
}

/**
 * The pipes of the processes that bring the lines to the stream log, kept open from before the first signal. Thereby what
 * is still in a log writer's input outlives it, and is written to the log by us; and a log writer can go on writing to a
 * program that was ended. Whatever else blocks it, its terminal or a reader that does not read, is taken out of its way.
 */
export class LogPipes implements Disposable {
  readonly #writers: LogWriter[] = []
  readonly #terminals: ReadonlySet<number>
  readonly #start = performance.now()
  #logBytes = 0

  /** `logs`: our descriptor of its log, by the pid of each process that writes one. Without any, nothing is held. */
  constructor({ claims: { claimed }, roleOf }: PlannedCleanup, logs: ReadonlyMap<number, number>) {
    const panes = [...claimed.values()].filter(({ evidence }) => evidence.some(({ kind }) => kind === 'pane'))
    this.#terminals = new Set(panes.map(({ process }) => process.tty))
    const writers = [...claimed.values()].filter(one => ['filter', 'log-writer'].includes(roleOf(one)))
    for (const { process } of logs.size > 0 ? writers : []) {
      const { pid } = process
      const input = pipeInto(pid) === undefined ? undefined : hold({ pid, fd: 0 })
      const outputs = listDescriptors(pid).filter(one => one.fd > 0 && isPipe(one))
      this.#writers.push({
        process,
        log: logs.get(pid),
        input,
        outputs: outputs.flatMap(one => hold(one) ?? []),
        isHelped: false,
        searchedAt: 0,
        isCut: false,
        saved: 0,
        unsaved: 0,
        why: '',
      })
    }
  }

  /** Helps the log writers among the living processes on, and takes the place of those that have ended. */
  tend(alive: readonly Identity[]): void {
    const helps = performance.now() - this.#start >= HELP_AFTER_MS
    for (const writer of this.#writers) {
      if (!alive.some(({ pid }) => pid === writer.process.pid)) saveInput(writer)
      else if (helps) this.#help(writer)
    }
  }

  /** True when a log has grown since the last call: its writer is slow, and does not hang. */
  haveGrown(): boolean {
    const before = this.#logBytes
    this.#logBytes = this.#writers.reduce(
      (sum, { log }) => sum + (log === undefined ? 0 : fs.fstatSync(log).size),
      0,
    )
    return this.#logBytes > before
  }

  /** To be called before a KILL. A `tee` that waits for input has written all that it has read; a filter collects its output. */
  noteKill({ pid }: Identity): void {
    const writer = this.#writers.find(one => one.process.pid === pid)
    if (!writer) return
    const waitsIn = readProcText(`/proc/${pid}/wchan`) ?? ''
    writer.isCut ||= writer.log === undefined || !/pipe_read|pipe_wait_readable/.test(waitsIn)
  }

  /** What log writers left unwritten when they ended, in sentences; the rest of their input is in the log then. */
  lost(survivors: readonly Identity[]): string[] {
    this.tend(survivors)
    return this.#writers.filter(({ isCut, saved, unsaved }) => isCut || saved + unsaved > 0).map(describeLost)
  }

  [Symbol.dispose](): void {
    for (const { input, outputs } of this.#writers)
      for (const { fd } of [input ?? [], outputs].flat()) fs.closeSync(fd)
  }

  #help(writer: LogWriter): void {
    if (!writer.isHelped) resumeTerminal(writer.process, this.#terminals)
    writer.isHelped = true
    // Where the next program writes the log too, its input is saved and not thrown away.
    const inputs = this.#writers.map(({ input }) => input?.target)
    const unknown = writer.outputs.filter(({ isUnread, target }) => !isUnread && !inputs.includes(target))
    if (unknown.length > 0 && performance.now() - writer.searchedAt >= SEARCH_MS) {
      const read = readTargets()
      for (const output of unknown) output.isUnread = !read.has(output.target)
      writer.searchedAt = performance.now()
    }
    for (const { fd, isUnread } of writer.outputs) if (isUnread) readAvailable(fd, () => {})
  }
}

function describeLost({ process: { pid, comm }, log, isCut, saved, unsaved, why }: LogWriter): string {
  const end = isCut ? 'had to be killed' : 'ended'
  if (log === undefined)
    return `Process ${pid} (${comm}), a filter before the stream log, ${end} before it had passed all of its input on: ${unsaved} bytes of it were left in its pipe, and they are lost, with the lines that it had read and not passed on.`
  return `Process ${pid} (${comm}), which wrote the stream log, ${end} before it had written all of its input. ${saved} bytes of it were saved from its pipe; lines that it had read and not written are lost.${unsaved > 0 ? ` ${unsaved} bytes could not be saved: ${why}.` : ''}`
}

const isPipe = (descriptor: Descriptor): boolean => descriptorTarget(descriptor)?.startsWith('pipe:') === true

/** Opens the reading end of a process's pipe. Only a pipe of our own user is opened. */
function hold(descriptor: Descriptor): HeldPipe | undefined {
  const at = `/proc/${descriptor.pid}/fd/${descriptor.fd}`
  return attempt(
    () => {
      // Asked first: to open a device can have an effect.
      const seen = fs.statSync(at)
      if (!seen.isFIFO() || seen.uid !== ownUid()) return undefined
      const fd = fs.openSync(at, O_RDONLY | O_NONBLOCK | O_NOCTTY)
      const { ino, dev } = fs.fstatSync(fd)
      if (ino === seen.ino && dev === seen.dev) return { fd, target: `pipe:[${ino}]`, isUnread: false }
      fs.closeSync(fd)
      return undefined
    },
    () => {},
  )
}

/** The pipes that other processes have open for reading. */
function readTargets(): ReadonlySet<string | undefined> {
  const others = [...readTableNow().keys()].filter(pid => pid !== process.pid)
  const pipes = others.flatMap(listDescriptors).filter(isPipe)
  return new Set(pipes.filter(isOpenForReading).map(descriptorTarget))
}

/** Appends what a log writer has left in its input to its log. A filter's input is counted: it may hold what no log may. */
function saveInput(writer: LogWriter): void {
  if (!writer.input) return
  readAvailable(writer.input.fd, bytes => {
    if (writer.log === undefined) {
      writer.unsaved += bytes.length
      return
    }
    attempt(
      () => {
        // By our own descriptor, because the log may have no name any more; closed at once, because we would seem to write it.
        const to = fs.openSync(`/proc/self/fd/${writer.log}`, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY)
        try {
          fs.writeFileSync(to, bytes)
          writer.saved += bytes.length
        } finally {
          fs.closeSync(to)
        }
      },
      why => {
        writer.unsaved += bytes.length
        writer.why = why
      },
    )
  })
}

/** Reads what is in a pipe now. */
function readAvailable(fd: number, use: (bytes: Buffer) => void): void {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let chunks = 0; chunks < MOST_CHUNKS; chunks++) {
    // EAGAIN: it is empty, and somebody may still write to it.
    const got = attempt(
      () => fs.readSync(fd, chunk),
      () => {},
    )
    if (!got) return
    use(chunk.subarray(0, got))
  }
}
