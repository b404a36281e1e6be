import { CannotMeasureError } from '../errors.ts'
import type { SystemUnderTest } from '../rig/system-under-test.ts'
import { workspaceIn } from '../systems/systems.ts'

/** Where the report's system keeps things, for faults and bystanders that need such a system. */
export interface ReportWorkspace {
  workspace: string
  task: string
  /** The folder of the task. */
  folder: string
  taskRegistry: string
  globalRegistry: string
  archive: string
}

/** @throws CannotMeasureError for a system without the report's tasks */
export function reportWorkspace({
  places,
  values,
}: Pick<SystemUnderTest, 'places' | 'values'>): ReportWorkspace {
  const { task } = values
  if (task === undefined)
    throw new CannotMeasureError(
      'This needs a system with the report’s workspace, and the system has no task.',
    )
  const workspace = workspaceIn(places)
  const folder = `${workspace}/${task}`
  return {
    workspace,
    task,
    folder,
    taskRegistry: `${folder}/AGENT_REGISTRY.json`,
    globalRegistry: `${workspace}/registry/GLOBAL_REGISTRY.json`,
    archive: `${folder}/archive`,
  }
}
