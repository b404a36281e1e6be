import fs from 'node:fs'
import path from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import { messageOf } from '../errors.ts'
import { WATCH_AGAIN_MS, whyNotWatched } from '../platform/limits.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { taskRegistry, validateRef } from '../registry/layout.ts'
import { isPending, isTerminal } from '../registry/lifecycle.ts'
import { listTasks, peekTaskRegistry } from '../registry/registry.ts'
import { fingerprint } from '../registry/registry-file.ts'
import { setAsideText } from '../registry/set-aside.ts'

export interface Listed {
  /** Unique in its workspace. */
  key: string
  ref: AgentRef
  entry: AgentEntry
}

interface Task {
  /** Fingerprint of the registry file that was read; the file is read again when it differs. */
  fingerprint: string
  agents: Listed[]
  /** The names under which problems with entries were reported. */
  refused: string[]
}

/** How many refused entries of one registry are reported, so that a registry cannot fill our memory. */
const MOST_REFUSED = 20
/** How much of a refused id is shown, in characters. */
const ID_SHOWN = 64

const REGISTRY = 'AGENT_REGISTRY.json'

/** The types, by statfs(2), of file systems that other hosts may write: NFS, SMB, CIFS, 9p, FUSE, Ceph, Lustre, GFS2, OCFS2, VirtualBox. */
const REMOTE: ReadonlySet<number> = new Set([
  0x6969, 0xfe534d42, 0xff534d42, 0x01021997, 0x65735546, 0x00c36400, 0x0bd00bd0, 0x01161970, 0x7461636f,
  0x786f4256,
])

/** How long an unreadable registry counts as one that is being written in place, in ms. */
const WRITING_MS = 1_000

/**
 * Keeps the list of a workspace's agents that live or are to be cleaned up. Chokidar reports which registry was written, in
 * place or by rename. A poll finds what chokidar does not report (a network file system, no inotify watch left), and costs
 * one stat per task. Agents that have ended and are clean are not kept.
 */
export class RegistryWatch implements Disposable {
  readonly workspace: string
  readonly #onChange: () => void
  readonly #report: (about: string, problem: string | undefined) => void
  readonly #tasks = new Map<string, Task>()
  readonly #changed = new Set<string>()
  /** Since when each task's registry cannot be read, by the monotonic clock. */
  readonly #failingSince = new Map<string, number>()
  #watcher: FSWatcher | undefined
  /** Device and inode of the watched workspace: a watch does not follow the name to another folder. */
  #watched: string | undefined
  #isRemote = false
  #agents: Listed[] = []
  /** False while changes may go unreported, and only polls find them. */
  #isWatching = false
  /** When the watch failed, by the monotonic clock; undefined while none has. */
  #failedAt: number | undefined
  /** True when something changed and it is not known which registry. */
  #isStale = true

  /** `report` gets a problem and what has it, or undefined when the problem is over. */
  constructor(
    workspace: string,
    onChange: () => void,
    report: (about: string, problem: string | undefined) => void,
  ) {
    this.workspace = workspace
    this.#onChange = onChange
    this.#report = report
  }

  /** True when a poll is due at the next check of processes, at the latest. */
  get needsPoll(): boolean {
    return this.#isStale || !this.#isWatching || this.isUnsure
  }

  /** True while changes go unreported for longer than the set-up of a watch takes, so that polls have to be frequent. */
  get isBlind(): boolean {
    return this.#failedAt !== undefined || this.isRemote
  }

  /** True for a file system on which other hosts write too: inotify reports only what this kernel did. */
  get isRemote(): boolean {
    return this.#isRemote
  }

  /** True when a poll is due now. */
  get isStale(): boolean {
    return this.#isStale
  }

  /** True while a registry is being written in place, so that who is in it is not known. */
  get isUnsure(): boolean {
    return this.#changed.size > 0
  }

  /** Makes a poll due at the next check. */
  rescan(): void {
    this.#isStale = true
  }

  /** Reads every registry that has changed, whatever was reported. */
  poll(): void {
    this.#isStale = false
    try {
      const tasks = listTasks(this.workspace)
      for (const taskId of [...this.#tasks.keys(), ...this.#changed])
        if (!tasks.includes(taskId)) this.#forget(taskId)
      for (const taskId of tasks) this.#read(taskId)
      this.#report('', undefined)
      const { dev, ino } = fs.statSync(this.workspace)
      const isOther = this.#watched !== `${dev} ${ino}`
      if (isOther || performance.now() - (this.#failedAt ?? Number.NaN) >= WATCH_AGAIN_MS) this.#unwatch()
      if (isOther) this.#isRemote = REMOTE.has(fs.statfsSync(this.workspace).type)
      this.#watched = `${dev} ${ino}`
      this.#watcher ??= this.#watch()
    } catch (error) {
      // Somebody removed the workspace: no agent is left to watch, and the folder may come back.
      for (const taskId of this.#tasks.keys()) this.#forget(taskId)
      this.#unwatch()
      this.#report('', messageOf(error))
    }
    this.#collect()
  }

  /** Every agent that lives or is to be cleaned up. The same array until something changes. */
  list(): readonly Listed[] {
    if (this.#changed.size > 0) {
      for (const taskId of this.#changed) this.#read(taskId)
      this.#collect()
    }
    return this.#agents
  }

  /** A task's registry may have been written: it is read before the list is returned again. */
  markChanged(taskId: string): void {
    this.#changed.add(taskId)
  }

  [Symbol.dispose](): void {
    this.#unwatch()
  }

  #read(taskId: string): void {
    const file = taskRegistry(this.workspace, taskId)
    try {
      const now = fingerprint(file) ?? 'none'
      if (now !== this.#tasks.get(taskId)?.fingerprint) {
        const registry = peekTaskRegistry(this.workspace, taskId)
        const due = registry.agents.filter(entry => !isTerminal(entry.status) || isPending(entry))
        const refused = new Map<string, string>()
        const problem = setAsideText(file, registry)
        // A name that no agent can have.
        if (problem !== undefined) refused.set(`${taskId}/agents[]`, problem)
        const agents = due.flatMap(entry => this.#admit(taskId, entry, refused))
        this.#drop(taskId, refused)
        for (const [about, problem] of refused) this.#report(about, problem)
        this.#tasks.set(taskId, { fingerprint: now, agents, refused: [...refused.keys()] })
      }
      this.#changed.delete(taskId)
      this.#failingSince.delete(taskId)
      this.#report(taskId, undefined)
    } catch (error) {
      const since = this.#failingSince.get(taskId) ?? performance.now()
      this.#failingSince.set(taskId, since)
      // Its agents are kept while it may be half written: whatever is done for one of them reads the registry first.
      this.#changed.add(taskId)
      if (performance.now() - since < WRITING_MS) return
      // A registry that was removed is not a problem: a poll forgets its task.
      if (!fs.existsSync(file)) {
        this.#isStale = true
        return
      }
      // An unreadable registry shows nothing about its agents: they are left as they are until it can be read.
      this.#drop(taskId)
      this.#changed.delete(taskId)
      this.#report(taskId, messageOf(error))
    }
  }

  /** An entry with an id that no agent may have is reported and left out; the other entries count. */
  #admit(taskId: string, entry: AgentEntry, refused: Map<string, string>): Listed[] {
    const ref = { workspace: this.workspace, taskId, agentId: entry.id }
    try {
      return [{ key: `${taskId}/${entry.id}`, ref: validateRef(ref), entry }]
    } catch (error) {
      if (refused.size < MOST_REFUSED)
        refused.set(`${taskId}/${entry.id.slice(0, ID_SHOWN)}`, messageOf(error))
      return []
    }
  }

  /** Forgets what was read of a task. Problems with its entries are over, except those in `again`. */
  #drop(taskId: string, again: ReadonlyMap<string, string> = new Map()): void {
    for (const about of this.#tasks.get(taskId)?.refused ?? [])
      if (!again.has(about)) this.#report(about, undefined)
    this.#tasks.delete(taskId)
  }

  #collect(): void {
    this.#agents = [...this.#tasks.values()].flatMap(({ agents }) => agents)
  }

  #watch(): FSWatcher {
    const watcher = watch(this.workspace, {
      depth: 1,
      followSymlinks: false,
      ignored: file => this.#isIgnored(file),
      ignoreInitial: true,
    })
    let hasFailed = false
    watcher.on('ready', () => {
      // It is ready, too, when it could not watch everything.
      if (hasFailed || watcher !== this.#watcher) return
      // A registry may have been written while the watch was being set up.
      this.#isStale = true
      this.#isWatching = true
      this.#failedAt = undefined
      this.#report('watch', undefined)
      this.#onChange()
    })
    watcher.on('all', (_, file) => {
      const [taskId, name] = path.relative(this.workspace, file).split(path.sep)
      // Chokidar 6.0.0 watches a workspace that comes back without the files in it.
      if (!taskId) this.#unwatch()
      if (taskId && name === REGISTRY) this.#changed.add(taskId)
      else this.#isStale = true
      this.#onChange()
    })
    watcher.on('error', error => {
      hasFailed = true
      this.#isWatching = false
      this.#failedAt = performance.now()
      this.#report(
        'watch',
        `${this.workspace} cannot be watched completely, so changes are found by checks four times a second: ${whyNotWatched(error)}.`,
      )
    })
    return watcher
  }

  #unwatch(): void {
    // No event comes after this call; the promise only waits for reads that chokidar has begun.
    this.#watcher?.close().catch(() => {})
    this.#watcher = undefined
    this.#isWatching = false
  }

  /** Ignores everything but the workspace, its task folders, and the registries in them. */
  #isIgnored(file: string): boolean {
    const [first, second, ...more] = path.relative(this.workspace, file).split(path.sep)
    return first === 'registry' || (second !== undefined && second !== REGISTRY) || more.length > 0
  }

  #forget(taskId: string): void {
    this.#drop(taskId)
    this.#changed.delete(taskId)
    this.#failingSince.delete(taskId)
    this.#report(taskId, undefined)
  }
}
