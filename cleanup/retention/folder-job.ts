import type { Folder } from '../platform/files/folder.ts'
import type { ApplyOptions, FileOutcome, PlannedFile, RetentionPlan, TaskPart } from './plan-types.ts'

/** One folder of a task, held open, and what is to be done in it. */
export interface Work {
  plan: RetentionPlan
  workspace: string
  taskId: string
  part: TaskPart
  folder: Folder
  files: PlannedFile[]
  options: ApplyOptions
  outcomes: FileOutcome[]
  problems: string[]
}
