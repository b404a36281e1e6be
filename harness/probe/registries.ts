import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { atPointer } from '../definition/pointer.ts'
import { type Layout, type PlannedRegistry, patternOf } from '../definition/system.ts'
import { isGone } from '../errors.ts'
import { parseJson } from '../json.ts'
import { othersValues } from '../snapshot/others-values.ts'
import type { FileResource, RegistryResource } from '../snapshot/snapshot.ts'

export interface RegistryReading {
  registries: RegistryResource[]
  problems: string[]
}

/**
 * Reads every file that the system declares as a registry. One that does not parse is a problem, and never an empty
 * registry.
 */
export function readRegistries(files: FileResource[], { registries }: Layout): RegistryReading {
  const reading: RegistryReading = { registries: [], problems: [] }
  for (const { path } of files) {
    const declared = registries.find(one => patternOf(one.path).test(path))
    if (!declared) continue
    try {
      reading.registries.push(read(path, declared))
    } catch (error) {
      if (!isGone(error)) reading.problems.push(`${path} is not a readable registry: ${sentence(error)}`)
    }
  }
  return reading
}

function read(path: string, { name, agents, id, status, active }: PlannedRegistry): RegistryResource {
  const text = readFileSync(path, 'utf8')
  const data: unknown = parseJson(text)
  const entry = z.looseObject({ [status]: z.string().optional() })
  const shape = z.union([z.array(entry), z.record(z.string(), entry)], {
    error: `there is no list of agents at ${agents}`,
  })
  const entries = Object.entries(shape.parse(atPointer(data, agents)))
  const isList = Array.isArray(atPointer(data, agents))
  const values = othersValues(text, agents)
  return {
    kind: 'registry',
    id: `registry ${path}`,
    path,
    name,
    ...(active !== undefined && { active: { field: active.slice(1), count: count(data, active) } }),
    agents: entries.map(([key, one]) => {
      const { [id]: named, [status]: written } = one as Record<string, unknown>
      const found = isList ? String(named) : key
      return typeof written === 'string' ? { id: found, status: written } : { id: found }
    }),
    ...(values && { others: values }),
  }
}

function count(data: unknown, pointer: string): number {
  const found = atPointer(data, pointer)
  if (typeof found === 'number') return found
  throw new Error(`there is no number of live agents at ${pointer}`)
}

function sentence(error: unknown): string {
  const text = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
  return text.replaceAll(/\s+/g, ' ')
}
