import { expect } from 'vitest'
import { isPending } from '../../registry/lifecycle.ts'
import { readRegistries } from '../../registry/read-all.ts'

/** The ids of the agents whose end is on disk and whose cleanup is not done. Every registry must be readable. */
export function pendingAgents(workspace: string): string[] {
  const { tasks, problems } = readRegistries(workspace)
  expect(problems).toEqual([])
  return [...tasks.values()].flatMap(({ agents }) => agents.filter(isPending).map(({ id }) => id))
}
