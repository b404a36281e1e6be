import { expect } from 'vitest'
import type { Agent } from '../rig/agent.ts'
import type { Directive } from '../rig/directive.ts'
import type { Rig } from '../rig/rig.ts'
import { Crowd, type Server } from './all-bystanders.ts'
import { type EndingName, endings } from './endings.ts'

/** One cell of the catalogue: an agent of a shape, and how it ends, beside every bystander. */
export interface Cell {
  shape: Partial<Directive>
  ending: EndingName
}

/** The agent of a cell at work, and the neighbour who has to stay. */
export interface Scene {
  agent: Agent
  neighbour: Agent | undefined
}

/** Deploys a cell's agent beside all bystanders. */
export async function setScene(rig: Rig, { shape, ending }: Cell, server?: Server): Promise<Scene> {
  const crowd = new Crowd(rig, server)
  await crowd.gathers()
  const agent = await rig.launch({ persona: endings[ending].persona, ...shape })
  return { agent, neighbour: await crowd.gathersAround(agent) }
}

/** The agent ends, and everything is as it was before. */
export async function endsWell(
  { agent, neighbour }: Scene,
  ending: EndingName,
  status: string = endings[ending].status,
): Promise<void> {
  await endings[ending].happens(agent)
  await isAsItWas({ agent, neighbour }, status)
}

/** Nothing is left of the agent but its archive and its entry, and the neighbour works on. */
export async function isAsItWas({ agent, neighbour }: Scene, status: string): Promise<void> {
  await expect(agent.rig).toReturnToBaseline()
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs(status)
  if (neighbour) await expect(neighbour).toBeRegisteredAs('working')
}
