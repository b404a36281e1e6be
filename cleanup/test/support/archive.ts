import fs from 'node:fs'
import path from 'node:path'
import { dir } from 'tmp-promise'
import { type AgentEntry, addAgent, addTask, initRegistries } from '../../orchestrator.ts'
import type { FileDecision, RetentionPlan } from '../../retention/plan-types.ts'

export const DAY_MS = 86_400_000

/** A temporary workspace to which a test adds archived files of any age. */
export class Archive implements AsyncDisposable {
  readonly folder: string
  readonly workspace: string
  readonly #remove: () => Promise<void>

  private constructor(folder: string, workspace: string, remove: () => Promise<void>) {
    this.folder = folder
    this.workspace = workspace
    this.#remove = remove
  }

  static async make(): Promise<Archive> {
    const { path: folder, cleanup } = await dir({ prefix: 'lr-', unsafeCleanup: true })
    const real = fs.realpathSync(folder)
    return Archive.inFolder(real, cleanup)
  }

  /** Makes the workspace in an existing folder. */
  static async inFolder(folder: string, remove = async (): Promise<void> => {}): Promise<Archive> {
    const archive = new Archive(folder, path.join(folder, '.agent-workspace'), remove)
    await initRegistries(archive.workspace)
    await archive.task('T1')
    return archive
  }

  task(task_id: string): Promise<void> {
    return addTask(this.workspace, { task_id })
  }

  /** Adds an agent whose cleanup finished `days` ago. `entry` overrides fields of its entry. */
  agent(agentId: string, days = 100, entry: Partial<AgentEntry> = {}, taskId = 'T1'): Promise<void> {
    const at = new Date(Date.now() - days * DAY_MS).toISOString()
    const cleanup = { state: 'done', since: at, reason: 'x', finished_at: at } as const
    return addAgent(
      { workspace: this.workspace, taskId, agentId },
      { status: 'completed', cleanup, ...entry },
    )
  }

  /** The path of a file in a task's folder. */
  at(name: string, part = 'archive', taskId = 'T1'): string {
    return path.join(this.workspace, taskId, part, name)
  }

  /** Writes a file that was last modified `days` ago, and returns its path. */
  put(name: string, days: number, { bytes = 10, part = 'archive', taskId = 'T1' } = {}): string {
    const file = this.at(name, part, taskId)
    fs.writeFileSync(file, logText(bytes))
    const seconds = (Date.now() - days * DAY_MS) / 1000
    fs.utimesSync(file, seconds, seconds)
    return file
  }

  names(part = 'archive', taskId = 'T1'): string[] {
    return fs.readdirSync(path.join(this.workspace, taskId, part)).sort()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#remove()
  }
}

/** Text of a stream log, `bytes` long. */
function logText(bytes: number): string {
  let text = ''
  for (let n = 0; text.length < bytes; n++) text += `{"type":"assistant","uuid":"${n * 7919}","n":${n}}\n`
  return text.slice(0, bytes)
}

/** The action and the rule that a plan has for each file, by file name. */
export function fates(plan: RetentionPlan): Record<string, string> {
  return Object.fromEntries(plan.files.map(file => [file.name, `${file.action} ${file.rule}`]))
}

export function planned(plan: RetentionPlan, name: string): FileDecision {
  const file = plan.files.find(known => known.name === name)
  if (!file) throw new Error(`the plan has no ${name}`)
  return file
}
