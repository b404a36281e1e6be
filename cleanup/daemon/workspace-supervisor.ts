import fs from 'node:fs'
import path from 'node:path'
import { words } from '../errors.ts'
import { makeFolder } from '../platform/files/within.ts'
import { daemonLock } from '../registry/layout.ts'
import { Instance } from './daemon-lock.ts'
import { Told } from './problem-dedup.ts'
import { type Depth, Warden, type WardenOptions } from './reconciler.ts'

/**
 * The daemon's post at one workspace: it holds it as the one daemon there, and leaves it to a warden. A workspace that is
 * removed is waited for; in one that comes back the lock is taken anew, because the old one went with the old folder.
 */
export class Post implements Disposable {
  readonly #options: WardenOptions
  readonly #warden: Warden
  readonly #told = new Told()
  #instance: Instance | undefined

  constructor(options: WardenOptions, instance: Instance) {
    this.#options = options
    this.#instance = instance
    this.#warden = new Warden(options)
  }

  get isBusy(): boolean {
    return this.#instance !== undefined && this.#warden.isBusy
  }

  get pending(): number {
    return this.#instance ? this.#warden.pending : 0
  }

  round(depth: Depth, terminals: ReadonlySet<string>): void {
    if (depth !== 'glance') this.#hold()
    try {
      if (this.#instance) this.#warden.round(depth, terminals)
      this.#tell('round', undefined)
    } catch (error) {
      // One workspace in trouble must not leave the others unwatched.
      this.#tell('round', words(error))
    }
  }

  /** Whether a round is due before its time: one signal for each agent, and nothing else. */
  blink(): boolean {
    return this.#instance !== undefined && this.#warden.blink()
  }

  idle(): Promise<void> {
    return this.#warden.idle()
  }

  [Symbol.dispose](): void {
    this.#warden[Symbol.dispose]()
    this.#instance?.[Symbol.dispose]()
  }

  #hold(): void {
    const { workspace, observer } = this.#options
    try {
      if (this.#instance?.isValid) return
      const held = this.#instance
      held?.[Symbol.dispose]()
      this.#instance = undefined
      // Only what lies in the workspace is made anew, never the workspace itself.
      if (!fs.existsSync(workspace)) throw new Error(`The workspace ${workspace} is gone; waiting for it.`)
      // It may just be being removed, from within; a folder that is made now would be in the way.
      if (held)
        throw new Error(
          `${daemonLock(workspace)} was removed, mostly with the whole workspace; waiting to take the lock anew.`,
        )
      makeFolder(workspace, path.dirname(daemonLock(workspace)))
      this.#instance = new Instance(workspace)
      this.#warden.lookAnew()
      observer.log({ event: 'workspace-back', workspace })
      this.#tell('workspace', undefined)
    } catch (error) {
      this.#tell('workspace', words(error))
    }
  }

  #tell(about: 'workspace' | 'round', problem: string | undefined): void {
    const { workspace, observer } = this.#options
    if (problem === undefined) {
      if (!this.#told.isOver(about)) return
    } else if (this.#told.isNews(about, problem)) {
      const event = about === 'workspace' ? 'workspace-lost' : 'problem'
      observer.log({ event, workspace, problem })
    }
    observer.degraded(`${about} ${workspace}`, problem)
  }
}
