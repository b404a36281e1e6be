import fs from 'node:fs'
import path from 'node:path'
import { type FSWatcher, watch } from 'chokidar'
import { messageOf } from '../errors.ts'
import type { AgentEntry } from '../registry/entries.ts'
import type { AgentRef } from '../registry/layout.ts'
import { taskRegistry, validateRef } from '../registry/layout.ts'
import { isPending, isTerminal } from '../registry/lifecycle.ts'
import { listTasks, peekTaskRegistry } from '../registry/registry.ts'
import { setAsideText } from '../registry/set-aside.ts'

export interface Listed {
  /** Unique in its workspace. */
  key: string
  ref: AgentRef
  entry: AgentEntry
}

interface Task {
  /** Device, inode, size and time of the registry that was read: another one in its place is read anew. */
  seen: string
  open: Listed[]
  /** What was told of entries that are nobody's agents. */
  refused: string[]
}

/** Of so many entries of one registry it is told that they are nobody's agents, so that nobody can fill our memory with them. */
const MOST_REFUSED = 20
/** How much of such an id tells it apart, in characters. */
const ID_SHOWN = 64

const REGISTRY = 'AGENT_REGISTRY.json'

/** For how long a registry that cannot be read is taken for one that is just being written in place, in ms. */
const WRITING_MS = 1_000

/**
 * Keeps a workspace's registries in view. Chokidar tells which one was written, in place or by rename; a poll finds what
 * it does not tell (a network file system, no inotify watch left) and costs one stat per task. Of an agent that has
 * ended and is clean nothing is kept.
 */
export class RegistryWatch implements Disposable {
  readonly workspace: string
  readonly #onChange: () => void
  readonly #tell: (about: string, problem: string | undefined) => void
  readonly #tasks = new Map<string, Task>()
  readonly #changed = new Set<string>()
  /** Since when a task's registry cannot be read, by a clock that nobody can set. */
  readonly #failingSince = new Map<string, number>()
  #watcher: FSWatcher | undefined
  /** Device and inode of the workspace that is watched: another one by its name is not heard. */
  #watched: string | undefined
  #open: Listed[] = []
  /** False while a change may go unheard: then polling is all there is. */
  #isWatching = false
  /** True when a change was not heard in its parts. */
  #isStale = true

  /** `tell` gets the problem with a path, or undefined when there is none any more. */
  constructor(
    workspace: string,
    onChange: () => void,
    tell: (about: string, problem: string | undefined) => void,
  ) {
    this.workspace = workspace
    this.#onChange = onChange
    this.#tell = tell
  }

  /** True when a poll is due at the next look, at the latest. */
  get needsPoll(): boolean {
    return this.#isStale || !this.#isWatching || this.isUnsure
  }

  /** True when a poll is due now. */
  get isStale(): boolean {
    return this.#isStale
  }

  /** True while a registry is being written in place, so that who is in it is not known. */
  get isUnsure(): boolean {
    return this.#changed.size > 0
  }

  /** Has a poll come with the next round. */
  lookAnew(): void {
    this.#isStale = true
  }

  /** Looks at every registry, whatever was heard. */
  poll(): void {
    this.#isStale = false
    try {
      const tasks = listTasks(this.workspace)
      for (const taskId of [...this.#tasks.keys(), ...this.#changed])
        if (!tasks.includes(taskId)) this.#forget(taskId)
      for (const taskId of tasks) this.#read(taskId)
      this.#tell('', undefined)
      const { dev, ino } = fs.statSync(this.workspace)
      if (this.#watched !== `${dev} ${ino}`) this.#unwatch()
      this.#watched = `${dev} ${ino}`
      this.#watcher ??= this.#watch()
    } catch (error) {
      // Somebody removed the workspace: nobody is left to be watched, and the folder may come back.
      for (const taskId of this.#tasks.keys()) this.#forget(taskId)
      this.#unwatch()
      this.#tell('', messageOf(error))
    }
    this.#collect()
  }

  /** Every agent that lives or is to be cleaned up: the same list until something changes. */
  open(): readonly Listed[] {
    if (this.#changed.size > 0) {
      for (const taskId of this.#changed) this.#read(taskId)
      this.#collect()
    }
    return this.#open
  }

  /** A task's registry was written, for all the caller knows: it is read before the list is next asked for. */
  wasWritten(taskId: string): void {
    this.#changed.add(taskId)
  }

  [Symbol.dispose](): void {
    this.#unwatch()
  }

  #read(taskId: string): void {
    const file = taskRegistry(this.workspace, taskId)
    try {
      const seen = fingerprint(file)
      if (seen !== this.#tasks.get(taskId)?.seen) {
        const registry = peekTaskRegistry(this.workspace, taskId)
        const open = registry.agents.filter(entry => !isTerminal(entry.status) || isPending(entry))
        const refused = new Map<string, string>()
        const problem = setAsideText(file, registry)
        // No agent has that name.
        if (problem !== undefined) refused.set(`${taskId}/agents[]`, problem)
        const admitted = open.flatMap(entry => this.#admit(taskId, entry, refused))
        this.#drop(taskId, refused)
        for (const [about, problem] of refused) this.#tell(about, problem)
        this.#tasks.set(taskId, { seen, open: admitted, refused: [...refused.keys()] })
      }
      this.#changed.delete(taskId)
      this.#failingSince.delete(taskId)
      this.#tell(taskId, undefined)
    } catch (error) {
      const since = this.#failingSince.get(taskId) ?? performance.now()
      this.#failingSince.set(taskId, since)
      // Who was in it is kept in mind as long as it may be half written: whatever is done for one reads the registry first.
      this.#changed.add(taskId)
      if (performance.now() - since < WRITING_MS) return
      // Gone, it is no trouble: a poll forgets the task.
      if (!fs.existsSync(file)) {
        this.#isStale = true
        return
      }
      // What cannot be read says nothing of its agents: they are left as they are until it can.
      this.#drop(taskId)
      this.#changed.delete(taskId)
      this.#tell(taskId, messageOf(error))
    }
  }

  /** An entry that names what no agent may be named is told, and nobody's agent: the others are not held up by it. */
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

  /** Forgets what was read of a task; what was told of its entries is over, but for what is told again. */
  #drop(taskId: string, again: ReadonlyMap<string, string> = new Map()): void {
    for (const about of this.#tasks.get(taskId)?.refused ?? [])
      if (!again.has(about)) this.#tell(about, undefined)
    this.#tasks.delete(taskId)
  }

  #collect(): void {
    this.#open = [...this.#tasks.values()].flatMap(({ open }) => open)
  }

  #watch(): FSWatcher {
    const watcher = watch(this.workspace, {
      depth: 1,
      followSymlinks: false,
      ignored: file => this.#isBeside(file),
      ignoreInitial: true,
    })
    watcher.on('ready', () => {
      // What was written while the watch was being set up.
      this.#isStale = true
      this.#isWatching = true
      this.#tell('watch', undefined)
      this.#onChange()
    })
    watcher.on('all', (_, file) => {
      const [taskId, name] = path.relative(this.workspace, file).split(path.sep)
      // A workspace that comes back is watched by chokidar 6.0.0 without the files in it.
      if (!taskId) this.#unwatch()
      if (taskId && name === REGISTRY) this.#changed.add(taskId)
      else this.#isStale = true
      this.#onChange()
    })
    watcher.on('error', error => {
      this.#isWatching = false
      this.#tell(
        'watch',
        `${this.workspace} cannot be watched whole, so changes are seen up to some seconds later: ${messageOf(error)}.`,
      )
    })
    return watcher
  }

  #unwatch(): void {
    // It is deaf at once; what it waits for then are looks that it had begun.
    this.#watcher?.close().catch(() => {})
    this.#watcher = undefined
    this.#isWatching = false
  }

  /** Everything but the workspace, its task folders, and the registries in them. */
  #isBeside(file: string): boolean {
    const [first, second, ...more] = path.relative(this.workspace, file).split(path.sep)
    return first === 'registry' || (second !== undefined && second !== REGISTRY) || more.length > 0
  }

  #forget(taskId: string): void {
    this.#drop(taskId)
    this.#changed.delete(taskId)
    this.#failingSince.delete(taskId)
    this.#tell(taskId, undefined)
  }
}

function fingerprint(file: string): string {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false, bigint: true })
  return stat ? [stat.dev, stat.ino, stat.size, stat.mtimeNs].join(' ') : 'none'
}
