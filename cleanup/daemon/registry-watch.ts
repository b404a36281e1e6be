import fs from 'node:fs'
import path from 'node:path'
import { words } from '../errors.ts'
import type { AgentRef } from '../workspace/layout.ts'
import { taskFolder, taskRegistry, validateRef } from '../workspace/layout.ts'
import { listTasks, readTaskRegistry } from '../workspace/registry.ts'
import type { AgentEntry } from '../workspace/registry-types.ts'

export interface Listed {
  ref: AgentRef
  entry: AgentEntry
}

interface Task {
  /** Device, inode, size and time of the registry that was read: another one in its place is read anew. */
  seen: string
  agents: Listed[]
}

/**
 * Keeps a workspace's registries in view. The kernel tells when something changes in a folder (inotify), which also
 * sees a registry that is replaced by rename; a read that finds nothing changed costs one stat per task.
 */
export class RegistryWatch implements Disposable {
  readonly workspace: string
  readonly #onChange: () => void
  readonly #onProblem: (problem: string) => void
  readonly #folders = new Map<string, fs.FSWatcher>()
  readonly #tasks = new Map<string, Task>()
  /** The last problem told of each path, so that it is told once and not with every look. */
  readonly #told = new Map<string, string>()

  constructor(workspace: string, onChange: () => void, onProblem: (problem: string) => void) {
    this.workspace = workspace
    this.#onChange = onChange
    this.#onProblem = onProblem
  }

  /** Every agent of every readable registry, as it is on disk now. */
  agents(): Listed[] {
    const tasks = this.#list()
    for (const folder of [this.workspace, ...tasks.map(taskId => taskFolder(this.workspace, taskId))])
      this.#watch(folder)
    for (const taskId of [...this.#tasks.keys()].filter(known => !tasks.includes(known))) this.#forget(taskId)
    return tasks.flatMap(taskId => this.#read(taskId).agents)
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#folders.values()) watcher.close()
  }

  #list(): string[] {
    try {
      return listTasks(this.workspace)
    } catch (error) {
      // Somebody removed the workspace: nobody is left to be watched, and the folder may come back.
      this.#tell(this.workspace, words(error))
      return []
    }
  }

  #read(taskId: string): Task {
    const file = taskRegistry(this.workspace, taskId)
    const known = this.#tasks.get(taskId)
    try {
      const seen = fingerprint(file)
      if (known?.seen === seen) return known
      const { agents } = readTaskRegistry(this.workspace, taskId)
      const task = { seen, agents: agents.flatMap(entry => this.#admit(taskId, entry)) }
      this.#tasks.set(taskId, task)
      return task
    } catch (error) {
      // What cannot be read says nothing of its agents: they are left as they are until it can.
      this.#tell(file, words(error))
      return { seen: '', agents: [] }
    }
  }

  /** An entry that names what no agent may be named is told, and nobody's agent: the others are not held up by it. */
  #admit(taskId: string, entry: AgentEntry): Listed[] {
    const ref = { workspace: this.workspace, taskId, agentId: entry.id }
    try {
      return [{ ref: validateRef(ref), entry }]
    } catch (error) {
      this.#tell(`${taskFolder(this.workspace, taskId)}/${entry.id}`, words(error))
      return []
    }
  }

  #watch(folder: string): void {
    if (this.#folders.has(folder)) return
    try {
      const watcher = fs.watch(folder, { persistent: false }, this.#onChange)
      watcher.on('error', () => this.#unwatch(folder))
      this.#folders.set(folder, watcher)
    } catch (error) {
      // Out of inotify watches, most often. The slow poll still sees every change.
      this.#tell(folder, `${folder} cannot be watched, so changes are seen later: ${words(error)}.`)
    }
  }

  #unwatch(folder: string): void {
    this.#folders.get(folder)?.close()
    this.#folders.delete(folder)
  }

  #tell(path: string, problem: string): void {
    if (this.#told.get(path) === problem) return
    this.#told.set(path, problem)
    this.#onProblem(problem)
  }

  #forget(taskId: string): void {
    this.#tasks.delete(taskId)
    this.#unwatch(path.join(this.workspace, taskId))
  }
}

function fingerprint(file: string): string {
  const stat = fs.statSync(file, { throwIfNoEntry: false, bigint: true })
  return stat ? [stat.dev, stat.ino, stat.size, stat.mtimeNs].join(' ') : 'none'
}
