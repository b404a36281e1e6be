import fs from 'node:fs'
import path from 'node:path'
import { messageOf } from '../errors.ts'
import { makeFolder } from '../platform/files/within.ts'
import { daemonLock } from '../registry/layout.ts'
import { DaemonLock } from './daemon-lock.ts'
import { ProblemDedup } from './problem-dedup.ts'
import { type CheckLevel, Reconciler, type ReconcilerOptions } from './reconciler.ts'

/**
 * The daemon's post at one workspace: it holds it as the one daemon there, and leaves it to a warden. A workspace that is
 * removed is waited for; in one that comes back the lock is taken anew, because the old one went with the old folder.
 */
export class WorkspaceSupervisor implements Disposable {
  readonly #options: ReconcilerOptions
  readonly #reconciler: Reconciler
  readonly #problems = new ProblemDedup()
  #lock: DaemonLock | undefined

  constructor(options: ReconcilerOptions, lock: DaemonLock) {
    this.#options = options
    this.#lock = lock
    this.#reconciler = new Reconciler(options)
  }

  get isBusy(): boolean {
    return this.#lock !== undefined && this.#reconciler.isBusy
  }

  get pending(): number {
    return this.#lock ? this.#reconciler.pending : 0
  }

  round(level: CheckLevel, terminals: ReadonlySet<string>): void {
    if (level !== 'quick') this.#hold()
    try {
      if (this.#lock) this.#reconciler.round(level, terminals)
      this.#tell('round', undefined)
    } catch (error) {
      // One workspace in trouble must not leave the others unwatched.
      this.#tell('round', messageOf(error))
    }
  }

  /** Whether a round is due before its time: one signal for each agent, and nothing else. */
  blink(): boolean {
    return this.#lock !== undefined && this.#reconciler.blink()
  }

  idle(): Promise<void> {
    return this.#reconciler.idle()
  }

  [Symbol.dispose](): void {
    this.#reconciler[Symbol.dispose]()
    this.#lock?.[Symbol.dispose]()
  }

  #hold(): void {
    const { workspace, observer } = this.#options
    try {
      if (this.#lock?.isValid) return
      const held = this.#lock
      held?.[Symbol.dispose]()
      this.#lock = undefined
      // Only what lies in the workspace is made anew, never the workspace itself.
      if (!fs.existsSync(workspace)) throw new Error(`The workspace ${workspace} is gone; waiting for it.`)
      // It may just be being removed, from within; a folder that is made now would be in the way.
      if (held)
        throw new Error(
          `${daemonLock(workspace)} was removed, mostly with the whole workspace; waiting to take the lock anew.`,
        )
      makeFolder(workspace, path.dirname(daemonLock(workspace)))
      this.#lock = new DaemonLock(workspace)
      this.#reconciler.lookAnew()
      observer.log({ event: 'workspace-restored', workspace })
      this.#tell('workspace', undefined)
    } catch (error) {
      this.#tell('workspace', messageOf(error))
    }
  }

  #tell(about: 'workspace' | 'round', problem: string | undefined): void {
    const { workspace, observer } = this.#options
    if (problem === undefined) {
      if (!this.#problems.isOver(about)) return
    } else if (this.#problems.isNews(about, problem)) {
      const event = about === 'workspace' ? 'workspace-lost' : 'problem'
      observer.log({ event, workspace, problem })
    }
    observer.degraded(`${about} ${workspace}`, problem)
  }
}
