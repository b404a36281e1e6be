import fs from 'node:fs'
import type { Machine } from '../platform/processes/table.ts'
import { type Registries, readRegistries } from '../registry/read-all.ts'
import { everyEntry } from '../registry/registry.ts'
import { attempt } from './attempt.ts'
import { type DiskUse, diskUse } from './disk-use.ts'
import { type MeasuredAgent, measureAgent } from './measure-agent.ts'

/** One workspace's agents and files. */
export interface MeasuredWorkspace {
  workspace: string
  agents: MeasuredAgent[]
  disk: DiskUse | undefined
  /** False when a registry, or something of an agent, could not be read or asked: then there may be more agents. */
  isWhole: boolean
  problems: string[]
}

/** Looks at a workspace. What could not be looked at is in its problems. */
export async function measureWorkspace(
  workspace: string,
  machine: Machine | undefined,
): Promise<MeasuredWorkspace> {
  if (!fs.existsSync(workspace)) return missing(workspace)
  const registries = readRegistries(workspace)
  const { isWhole, problems } = registries
  const [agents, disk] = await Promise.all([
    measureAgents(workspace, registries, machine),
    attempt([], () => diskUse(workspace)),
  ])
  for (const { row } of agents) if (row.unknown) problems.push(...row.problems.slice(-1))
  problems.push(...(disk?.problems ?? [`The files of ${workspace} could not be counted.`]))
  return { workspace, agents, disk, isWhole, problems }
}

function missing(workspace: string): MeasuredWorkspace {
  const problem = `The workspace ${workspace} does not exist; expected the .agent-workspace folder of an orchestrator.`
  return { workspace, agents: [], disk: undefined, isWhole: false, problems: [problem] }
}

async function measureAgents(
  workspace: string,
  { tasks }: Registries,
  machine: Machine | undefined,
): Promise<MeasuredAgent[]> {
  const seen = [...tasks].flatMap(([taskId, registry]) => {
    const all = everyEntry(registry)
    return registry.agents.map(entry =>
      measureAgent({ workspace, taskId, agentId: entry.id }, entry, all, machine),
    )
  })
  return Promise.all(seen)
}
