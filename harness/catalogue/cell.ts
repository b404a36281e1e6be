import { expect } from 'vitest'
import type { Ending as Status } from '../definition/definition.ts'
import type { Agent } from '../rig/agent.ts'
import type { Directive } from '../rig/directive.ts'
import type { Rig } from '../rig/rig.ts'
import { AllBystanders, type BystanderServer } from './all-bystanders.ts'
import { type EndingName, endings } from './endings.ts'

/** One cell of the catalogue: the shape of an agent, and how it ends. */
export interface Cell {
  shape: Partial<Directive>
  ending: EndingName
}

/** The agent of a cell at work, and the neighbour that has to stay. */
export interface DeployedCell {
  agent: Agent
  neighbour: Agent | undefined
}

/** Deploys a cell's agent beside all bystanders. */
export async function deployCell(
  rig: Rig,
  { shape, ending }: Cell,
  server?: BystanderServer,
): Promise<DeployedCell> {
  const bystanders = new AllBystanders(rig, server)
  await bystanders.plant()
  const agent = await rig.launch({ persona: endings[ending].persona(rig), ...shape })
  // Before any bystander follows, so that what has appeared until then is the agent's.
  await rig.waitUntilRunning(agent)
  await rig.noteStartedWith(agent)
  return { agent, neighbour: await bystanders.plantAround(agent) }
}

/** Ends the agent, and expects that it is cleaned up. */
export async function expectCleanEnd(
  { agent, neighbour }: DeployedCell,
  ending: EndingName,
  status: Status = endings[ending].status,
): Promise<void> {
  await endings[ending].happens(agent)
  await expectCleanedUp({ agent, neighbour }, status)
}

/** Expects that only the archive and the registry entry of the agent are left, and that the neighbour works on. */
export async function expectCleanedUp({ agent, neighbour }: DeployedCell, status: Status): Promise<void> {
  await expect(agent.rig).toReturnToBaseline(agent)
  await expect(agent).toHaveArchivedLogs()
  await expect(agent).toBeRegisteredAs(status)
  if (neighbour) await expect(neighbour).toBeRegisteredAs('working')
}
