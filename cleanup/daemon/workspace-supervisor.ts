import fs from 'node:fs'
import path from 'node:path'
import { messageOf } from '../errors.ts'
import { makeFolder } from '../platform/files/within.ts'
import { daemonLock } from '../registry/layout.ts'
import { DaemonLock } from './daemon-lock.ts'
import { ProblemDedup } from './problem-dedup.ts'
import { Reconciler, type ReconcilerOptions } from './reconciler.ts'
import type { CheckLevel } from './scheduler.ts'

/**
 * Holds one workspace for the daemon, and runs its reconciler while it does. It waits for a workspace that was removed;
 * when the workspace comes back it takes the lock anew, because the old lock went with the old folder.
 */
export class WorkspaceSupervisor implements Disposable {
  readonly #options: ReconcilerOptions
  readonly #reconciler: Reconciler
  readonly #problems: ProblemDedup
  #lock: DaemonLock | undefined

  constructor(options: ReconcilerOptions, lock: DaemonLock) {
    this.#options = options
    this.#lock = lock
    this.#reconciler = new Reconciler(options)
    this.#problems = new ProblemDedup(options.observer)
  }

  /** A workspace that is gone may come back (it was moved, or its disk) as long as one of its agents runs. */
  get isBusy(): boolean {
    return this.#lock ? this.#reconciler.isBusy : this.#reconciler.isAnyRunning
  }

  get pending(): number {
    return this.#lock ? this.#reconciler.pending : 0
  }

  /** True while registries have to be polled, because their changes go unreported. */
  get isBlind(): boolean {
    return this.#lock !== undefined && this.#reconciler.isBlind
  }

  check(level: CheckLevel, terminals: ReadonlySet<string>): void {
    // First of all: in a workspace that was moved away, no registry lists its agents any more.
    this.#holdLock()
    try {
      if (this.#lock) this.#reconciler.check(level, terminals)
      this.#report('check', undefined)
    } catch (error) {
      // A workspace in trouble must not leave the others unwatched.
      this.#report('check', messageOf(error))
    }
  }

  /** True when a check is due before its time: one signal with number 0 for each agent, and nothing else. */
  isAnyRunnerGone(): boolean {
    return this.#lock !== undefined && this.#reconciler.isAnyRunnerGone()
  }

  idle(): Promise<void> {
    return this.#reconciler.idle()
  }

  [Symbol.dispose](): void {
    this.#reconciler[Symbol.dispose]()
    this.#lock?.[Symbol.dispose]()
  }

  #holdLock(): void {
    const { workspace, observer } = this.#options
    try {
      if (this.#lock?.isValid) return
      const lost = this.#lock
      lost?.[Symbol.dispose]()
      this.#lock = undefined
      // Only what lies in the workspace is created anew, never the workspace itself.
      if (!fs.existsSync(workspace)) throw new Error(`The workspace ${workspace} is gone; waiting for it.`)
      // Somebody may be removing the workspace file by file. A folder that is created now would be in the way.
      if (lost)
        throw new Error(
          `${daemonLock(workspace)} was removed, probably with the whole workspace; waiting to take the lock again.`,
        )
      makeFolder(workspace, path.dirname(daemonLock(workspace)))
      this.#lock = new DaemonLock(workspace)
      this.#reconciler.rescan()
      observer.log({ event: 'workspace-restored', workspace })
      this.#report('workspace', undefined)
    } catch (error) {
      this.#report('workspace', messageOf(error))
    }
  }

  #report(what: 'workspace' | 'check', problem: string | undefined): void {
    const { workspace } = this.#options
    const event = what === 'workspace' ? 'workspace-lost' : 'problem'
    if (problem === undefined) this.#problems.resolve(`${what} ${workspace}`)
    else this.#problems.report(`${what} ${workspace}`, problem, { event, workspace, problem })
  }
}
