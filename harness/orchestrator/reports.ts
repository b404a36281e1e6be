import { type AgentRef, isTerminal, layout, systemCode } from '../../cleanup/orchestrator.ts'
import { appendLine } from './files.ts'
import type { Strategy } from './strategies/strategy.ts'

interface Progress {
  status: string
  message: string
  progress: number
}

/**
 * Appends to an agent's progress log and updates its entry. Throws when the agent is unknown or has ended. A report of the end
 * that cannot be written (a full disk) does not keep the agent: its text is the reason of the end.
 */
export async function noteProgress(agent: AgentRef, strategy: Strategy, progress: Progress): Promise<void> {
  await requireLive(agent, strategy)
  const timestamp = new Date().toISOString()
  const { status } = progress
  const line = { timestamp, agent_id: agent.agentId, ...progress }
  try {
    appendLine(agent.workspace, layout.progressFile(agent), line)
  } catch (error) {
    if (!isTerminal(status) || systemCode(error) === undefined) throw error
  }
  if (isTerminal(status)) return
  await strategy.updateAgent(agent, entry => {
    if (isTerminal(entry.status)) return
    Object.assign(entry, { status, progress: progress.progress, last_update: timestamp })
  })
}

/** Appends to an agent's findings log. Throws when the agent is unknown or has ended. */
export async function noteFinding(agent: AgentRef, strategy: Strategy, finding: object): Promise<void> {
  await requireLive(agent, strategy)
  appendLine(agent.workspace, layout.findingsFile(agent), { timestamp: new Date().toISOString(), ...finding })
}

/** A line for an agent that has ended would create its files again, beside those in the archive. */
async function requireLive(agent: AgentRef, strategy: Strategy): Promise<void> {
  const { agents } = await strategy.readTask(agent.workspace, agent.taskId)
  const entry = agents.find(({ id }) => id === agent.agentId)
  if (!entry) throw new Error(`No agent ${agent.agentId} in ${agent.taskId}: deploy it first.`)
  if (isTerminal(entry.status)) {
    throw new Error(`Agent ${agent.agentId} is ${entry.status} already: it cannot report any more.`)
  }
}
