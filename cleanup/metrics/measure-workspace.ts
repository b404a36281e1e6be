import fs from 'node:fs'
import { attemptAsync } from '../errors.ts'
import type { Machine } from '../platform/processes/table.ts'
import { readRegistries } from '../registry/read-all.ts'
import { everyEntry } from '../registry/registry.ts'
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
  if (!fs.existsSync(workspace)) return missing(workspace)
  const { tasks, isWhole, problems } = readRegistries(workspace)
  const measuring = [...tasks].flatMap(([taskId, registry]) => {
    const all = everyEntry(registry)
    return registry.agents.map(entry =>
      measureAgent({ workspace, taskId, agentId: entry.id }, entry, all, machine),
    )
  })
  const onFailure = (why: string) => problems.push(`The files of ${workspace} could not be counted: ${why}.`)
  const [agents, disk] = await Promise.all([
    Promise.all(measuring),
    attemptAsync(() => diskUse(workspace), onFailure),
  ])
  for (const { row } of agents) if (row.unknown) problems.push(...row.problems.slice(-1))
  problems.push(...(disk?.problems ?? []))
  return { workspace, agents, disk, isWhole, problems }
}

function missing(workspace: string): MeasuredWorkspace {
  const problem = `The workspace ${workspace} does not exist; expected the .agent-workspace folder of an orchestrator.`
  return { workspace, agents: [], disk: undefined, isWhole: false, problems: [problem] }
}
