import { attempt, attemptAsync, withoutStop } from '../errors.ts'
import type { Machine } from '../platform/processes/table.ts'
import { readRegistries } from '../registry/read-all.ts'
import { requireWorkspaceFolder } from '../registry/require-workspace.ts'
import { type DiskUse, diskUse } from './disk-use.ts'
import { type MeasuredAgent, measureAgent } from './measure-agent.ts'

export interface MeasuredWorkspace {
  workspace: string
  agents: MeasuredAgent[]
  disk: DiskUse | undefined
  /** False when a registry could not be read, and there may be further agents. */
  isWhole: boolean
  problems: string[]
}

/** Measures one workspace. What could not be read is in its problems. */
export async function measureWorkspace(
  workspace: string,
  machine: Machine | undefined,
): Promise<MeasuredWorkspace> {
  const missing: string[] = []
  attempt(
    () => requireWorkspaceFolder(workspace),
    why => missing.push(why),
  )
  if (missing.length > 0) return { workspace, agents: [], disk: undefined, isWhole: false, problems: missing }
  const { tasks, isWhole, problems } = readRegistries(workspace)
  const measuring = [...tasks].flatMap(([taskId, registry]) =>
    registry.agents.map(entry =>
      measureAgent({ workspace, taskId, agentId: entry.id }, entry, registry, machine),
    ),
  )
  const onFailure = (why: string) =>
    problems.push(`The files of ${workspace} could not be counted: ${withoutStop(why)}.`)
  const [agents, disk] = await Promise.all([
    Promise.all(measuring),
    attemptAsync(() => diskUse(workspace), onFailure),
  ])
  for (const { row } of agents) if (row.unknown) problems.push(...row.problems.slice(-1))
  problems.push(...(disk?.problems ?? []))
  return { workspace, agents, disk, isWhole, problems }
}
