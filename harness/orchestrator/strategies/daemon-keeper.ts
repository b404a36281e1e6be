import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, fstatSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { layout, leanDaemon, messageOf, readAt, readDaemon } from '../../../cleanup/orchestrator.ts'
import { Limit } from '../../limit.ts'
import { printProblem } from '../../terminal.ts'
import { openFile } from '../files.ts'

/** How long a daemon may take to start before that is reported, in ms of a machine with a processor to spare. */
const startWithinMs = 10_000
/** The pause before the next try, in ms: doubled after each failure. */
const firstPauseMs = 1_000
const longestPauseMs = 60_000
/** How long nobody may hold the workspace, in ms, before a daemon that ended is started again: a service manager may do it. */
const restartAfterMs = 30_000
const pollMs = 20
const firstBytes = 1 << 16

const { O_APPEND, O_CREAT, O_RDWR } = constants

/**
 * Keeps a daemon beside an orchestrator, which never waits for it: a daemon that is late, fails or ends is reported with
 * every answer of a tool, and tried again. Until then the calls that end agents clean up as they do with a daemon.
 */
export class DaemonKeeper {
  readonly #workspace: string
  #isLate = false
  #hasWatched = false
  /** Why the last try failed, in a sentence. */
  #failure: string | undefined

  constructor(workspace: string) {
    this.#workspace = workspace
  }

  /** What is wrong with the daemon, in a sentence; undefined while it watches, and while a new one may still be starting. */
  get problem(): string | undefined {
    const { pid, stopped, health, fresh } = readDaemon(this.#workspace, Date.now())
    if (stopped)
      return `The daemon ${pid} is stopped and cleans up nothing: continue it with "kill -CONT ${pid}".`
    // One that has just started has written no report, or there is that of a killed one.
    if (pid !== undefined && health?.pid === pid && !fresh)
      return `The daemon ${pid} has reported nothing since ${health.heartbeat_at}: it hangs, or the machine is very busy.`
    if (pid !== undefined) return undefined
    if (this.#failure !== undefined) return this.#failure
    if (this.#isLate) return `The daemon has not started yet; what it wrote is in ${this.#log}.`
    return this.#hasWatched ? `The daemon of ${this.#workspace} has ended, and is started again.` : undefined
  }

  /** Starts the daemon and keeps it. Resolves when it watches or stands by, or when it is late or has failed; never rejects. */
  start(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#keep(resolve).catch(error => {
      this.#fail(messageOf(error))
      resolve()
    })
    return promise
  }

  async #keep(settled: () => void): Promise<never> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      const why = await this.#run(settled).catch(messageOf)
      this.#isLate = false
      if (why === undefined) pauseMs = firstPauseMs
      else this.#fail(why)
      settled()
      await pause(why === undefined ? restartAfterMs : pauseMs)
      while (readDaemon(this.#workspace, Date.now()).pid !== undefined) await pause(restartAfterMs)
    }
  }

  /** Runs one daemon to its end. Returns why it never watched; undefined when it did. */
  async #run(settled: () => void): Promise<string | undefined> {
    const log = openFile(this.#workspace, this.#log, O_RDWR | O_APPEND | O_CREAT)
    try {
      const before = fstatSync(log).size
      const child = this.#spawn(log)
      let failure: string | undefined
      child.on('error', error => {
        failure = `The daemon could not be started: ${messageOf(error)}.`
      })
      const limit = new Limit(startWithinMs)
      while (failure === undefined && !hasEnded(child) && !hasStarted(child, log, before)) {
        if (!this.#isLate && limit.isOver) {
          this.#isLate = true
          settled()
        }
        await pause(pollMs)
      }
      if (failure !== undefined) return failure
      if (!hasStarted(child, log, before))
        return `The daemon ended (${child.signalCode ?? child.exitCode}) before it watched; what it wrote is in ${this.#log}.`
      this.#hasWatched = true
      this.#isLate = false
      this.#failure = undefined
      settled()
      if (!hasEnded(child)) await new Promise(resolve => child.once('exit', resolve))
      return undefined
    } finally {
      closeSync(log)
    }
  }

  /** Detached: it outlives the orchestrator while agents live. */
  #spawn(log: number): ChildProcess {
    const { args, env } = leanDaemon(this.#workspace, '--owner-pid', String(process.pid))
    const child = spawn(process.execPath, args, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
    })
    child.unref()
    return child
  }

  #fail(why: string): void {
    if (why !== this.#failure) printProblem(why)
    this.#failure = why
  }

  get #log(): string {
    return layout.daemonLog(this.#workspace)
  }
}

/** Keeps no process alive. */
const pause = (ms: number): Promise<void> => delay(ms, undefined, { ref: false })

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

/** Whether its first line is in the log, after the position `before`. Other daemons may write to the same log. */
function hasStarted({ pid }: ChildProcess, log: number, before: number): boolean {
  return readAt(log, before, firstBytes).includes(`"pid":${pid}}`)
}
