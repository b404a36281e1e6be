import { findLeftovers, type Leftovers } from '../claims/leftovers/find.ts'
import { type ListedAgent, listedAgent, observeListed } from '../claims/leftovers/listed.ts'
import { serversOf } from '../claims/leftovers/servers.ts'
import { attemptAsync } from '../errors.ts'
import { realWorkspace } from '../platform/files/real-path.ts'
import { type Machine, readMachine } from '../platform/processes/table.ts'
import type { AgentEntry, TaskRegistry } from '../registry/entries.ts'
import { type AgentRef, validateRef } from '../registry/layout.ts'
import type { Registries } from '../registry/read-all.ts'
import type { TmuxServer } from '../tmux/server.ts'

/** What is left on the machine of the agents of one workspace. */
export interface LeftInWorkspace {
  machine: Machine
  /** The tmux servers that were asked. */
  servers: readonly TmuxServer[]
  leftovers: Leftovers
}

/**
 * Finds it with the same list as `status`. `beside` are the registries of other workspaces. Undefined when a registry could
 * not be read, because it may list anything. Throws what could not be read or asked.
 */
export async function findLeft(
  workspace: string,
  own: Registries,
  beside: readonly Registries[],
): Promise<LeftInWorkspace | undefined> {
  if (![own, ...beside].every(({ isWhole }) => isWhole)) return undefined
  const machine = await readMachine()
  const observed = [...own.tasks].flatMap(([taskId, registry]) =>
    registry.agents.map(entry =>
      observeKnown({ workspace, taskId, agentId: entry.id }, entry, registry, machine),
    ),
  )
  const others = beside.flatMap(({ tasks }) =>
    [...tasks].flatMap(([taskId, { agents }]) =>
      agents.map(entry => listedAgent({ workspace: '', taskId, agentId: entry.id }, entry)),
    ),
  )
  const agents = [...(await Promise.all(observed)), ...others]
  const workspaces = new Set([realWorkspace(workspace)])
  const servers = await serversOf(
    machine,
    agents.map(({ entry }) => entry),
    workspaces,
  )
  const leftovers = findLeftovers(machine, agents, workspaces, servers)
  return { machine, servers, leftovers }
}

/** An agent that is refused, or whose server does not reply, is known by its entry only. The sweep reports that elsewhere. */
async function observeKnown(
  ref: AgentRef,
  entry: AgentEntry,
  registry: TaskRegistry,
  machine: Machine,
): Promise<ListedAgent> {
  const observing = async () => observeListed(validateRef(ref), entry, registry, machine)
  return (await attemptAsync(observing, () => {})) ?? listedAgent(ref, entry)
}
