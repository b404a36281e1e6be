import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { isGone } from '../errors.ts'
import { parseJson } from '../json.ts'
import { othersValues } from '../snapshot/others-values.ts'
import type { FileResource, RegistryResource } from '../snapshot/snapshot.ts'

const agentStatus = z.looseObject({ status: z.string() })

const taskRegistry = z.looseObject({
  active_count: z.number(),
  agents: z.array(agentStatus.extend({ id: z.string() })),
})

const globalRegistry = z.looseObject({
  active_agents: z.number(),
  agents: z.record(z.string(), agentStatus),
})

export interface RegistryReading {
  registries: RegistryResource[]
  problems: string[]
}

/** Reads every registry among the files. A registry that does not parse is a problem, and never an empty one. */
export function readRegistries(files: FileResource[]): RegistryReading {
  const reading: RegistryReading = { registries: [], problems: [] }
  for (const { path } of files.filter(file => file.class === 'registry')) {
    try {
      reading.registries.push(read(path))
    } catch (error) {
      if (!isGone(error)) reading.problems.push(`${path} is not a readable registry: ${sentence(error)}`)
    }
  }
  return reading
}

function read(path: string): RegistryResource {
  const text = readFileSync(path, 'utf8')
  const data: unknown = parseJson(text)
  const values = othersValues(text)
  const common = {
    kind: 'registry' as const,
    id: `registry ${path}`,
    path,
    ...(values && { others: values }),
  }
  if (path.endsWith('/GLOBAL_REGISTRY.json')) {
    const { active_agents, agents } = globalRegistry.parse(data)
    const list = Object.entries(agents).map(([agent, { status }]) => ({ id: agent, status }))
    return { ...common, scope: 'global', active: active_agents, agents: list }
  }
  const { active_count, agents } = taskRegistry.parse(data)
  const list = agents.map(agent => ({ id: agent.id, status: agent.status }))
  return { ...common, scope: 'task', active: active_count, agents: list }
}

function sentence(error: unknown): string {
  const text = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
  return text.replaceAll(/\s+/g, ' ')
}
