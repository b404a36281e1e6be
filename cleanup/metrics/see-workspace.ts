import fs from 'node:fs'
import type { Machine } from '../processes/table.ts'
import { listTasks, readTaskRegistry } from '../workspace/registry.ts'
import { type SeenAgent, seeAgent } from './agent-row.ts'
import { attempt } from './attempt.ts'
import { type DiskUse, diskUse } from './disk-use.ts'

/** One workspace's agents and files. */
export interface SeenWorkspace {
  workspace: string
  agents: SeenAgent[]
  disk: DiskUse | undefined
  /** False when a registry, or something of an agent, could not be read or asked: then there may be more agents. */
  isWhole: boolean
  problems: string[]
}

/** Looks at a workspace. What could not be looked at is in its problems. */
export async function seeWorkspace(workspace: string, machine: Machine | undefined): Promise<SeenWorkspace> {
  if (!fs.existsSync(workspace)) return missing(workspace)
  const problems: string[] = []
  const [agents, disk] = await Promise.all([
    seeAgents(workspace, machine, problems),
    attempt([], () => diskUse(workspace)),
  ])
  const isWhole = problems.length === 0
  for (const { row } of agents) if (row.unknown) problems.push(...row.problems.slice(-1))
  problems.push(...(disk?.problems ?? [`The files of ${workspace} could not be counted.`]))
  return { workspace, agents, disk, isWhole, problems }
}

function missing(workspace: string): SeenWorkspace {
  const problem = `The workspace ${workspace} does not exist; expected the .agent-workspace folder of an orchestrator.`
  return { workspace, agents: [], disk: undefined, isWhole: false, problems: [problem] }
}

async function seeAgents(
  workspace: string,
  machine: Machine | undefined,
  problems: string[],
): Promise<SeenAgent[]> {
  const tasks = (await attempt(problems, () => listTasks(workspace))) ?? []
  const seen = tasks.map(async taskId => {
    const registry = await attempt(problems, () => readTaskRegistry(workspace, taskId))
    const agents = registry?.agents ?? []
    return Promise.all(
      agents.map(entry => seeAgent({ workspace, taskId, agentId: entry.id }, entry, agents, machine)),
    )
  })
  return (await Promise.all(seen)).flat()
}
