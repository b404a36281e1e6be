import fs from 'node:fs'
import path from 'node:path'
import type { Log } from '../cleaning/report.ts'
import { words } from '../errors.ts'
import { daemonLock } from '../workspace/layout.ts'
import { Instance } from './instance.ts'
import { Told } from './told.ts'
import { type Depth, Warden } from './warden.ts'

export interface PostOptions {
  workspace: string
  graceMs: number
  log: Log
  wake: () => void
}

/**
 * The daemon's post at one workspace: it holds it as the one daemon there, and leaves it to a warden. A workspace that is
 * removed is waited for; in one that comes back the lock is taken anew, because the old one went with the old folder.
 */
export class Post implements AsyncDisposable {
  readonly #options: PostOptions
  readonly #warden: Warden
  readonly #told = new Told()
  #instance: Instance | undefined

  constructor(options: PostOptions, instance: Instance) {
    this.#options = options
    this.#instance = instance
    this.#warden = new Warden(options.workspace, options.graceMs, options.log, options.wake)
  }

  get isBusy(): boolean {
    return this.#instance !== undefined && this.#warden.isBusy
  }

  round(depth: Depth, terminals: ReadonlySet<string>): void {
    if (depth !== 'glance') this.#hold()
    if (this.#instance) this.#warden.round(depth, terminals)
  }

  idle(): Promise<void> {
    return this.#warden.idle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#warden[Symbol.asyncDispose]()
    this.#instance?.[Symbol.dispose]()
  }

  #hold(): void {
    const { workspace, log } = this.#options
    try {
      if (this.#instance?.isValid) return
      this.#instance?.[Symbol.dispose]()
      this.#instance = undefined
      // Only what lies in the workspace is made anew, never the workspace itself.
      if (!fs.existsSync(workspace)) throw new Error(`The workspace ${workspace} is gone; waiting for it.`)
      fs.mkdirSync(path.dirname(daemonLock(workspace)), { recursive: true })
      this.#instance = new Instance(workspace)
      this.#told.isOver(workspace)
      log({ event: 'workspace-back', workspace })
    } catch (error) {
      if (this.#told.isNews(workspace, words(error)))
        log({ event: 'workspace-lost', workspace, problem: words(error) })
    }
  }
}
