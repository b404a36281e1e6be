import { notClaimed } from '../claims/not-claimed.ts'
import { GRACE_MS } from '../cleaning/clean-up.ts'
import { CleanupError } from '../errors.ts'
import { planFor } from '../sweep/plan.ts'
import { type AgentRef, validateRef } from '../workspace/layout.ts'
import { listTasks, readTaskRegistry, requireAgent } from '../workspace/registry.ts'
import { exitCodes } from './exit-codes.ts'
import type { ExplainOptions } from './explain.ts'
import { explainPid } from './explain-pid.ts'
import { notClaimedText, stepsText, treeText } from './plan-text.ts'
import { printable } from './words.ts'
import { workspacesOf } from './workspace.ts'

/** Explains an agent or a process, and ends nothing. Returns the exit code. */
export async function explain(target: string, options: ExplainOptions): Promise<number> {
  const [workspace = ''] = workspacesOf(options.workspace === undefined ? [] : [options.workspace])
  const { agents, unread } = findAgents(workspace, target)
  if (agents.length === 0 && /^\d+$/.test(target)) return explainPid(workspace, Number(target), options)
  const [agent] = agents
  if (!agent) throw unread ?? unknown(workspace, target)
  if (agents.length > 1)
    throw new CleanupError(
      'bad-argument',
      `${agents.length} tasks have an agent ${target}; say which one is meant, as in ${agent.taskId}/${target}.`,
    )
  return explainAgent(agent, options)
}

async function explainAgent(agent: AgentRef, { json }: ExplainOptions): Promise<number> {
  validateRef(agent)
  const registry = readTaskRegistry(agent.workspace, agent.taskId)
  const { status, cleanup } = requireAgent(registry, agent)
  const { plan, scene, claims } = await planFor(agent, registry)
  const others = notClaimed(scene, claims)
  if (json) {
    console.log(JSON.stringify({ agent, status, cleanup, plan, notClaimed: others }, null, 2))
    return exitCodes.done
  }
  const { session } = plan
  const where = session
    ? `session ${printable(session.name)} (${session.id} on ${session.socket})`
    : 'no session'
  const lines = [
    `agent ${agent.agentId} of ${agent.taskId} in ${agent.workspace}: ${printable(status)}, ${where}`,
    ...treeText(plan),
    'a cleanup would, in this order:',
    ...stepsText(plan, GRACE_MS),
    ...(others.length > 0 ? ['not claimed, though it looks similar:', ...notClaimedText(others)] : []),
  ]
  console.log(lines.join('\n'))
  return exitCodes.done
}

/** The agents that an id, or a task's and an agent's, can mean; and why a registry could not be read, which may list it too. */
function findAgents(workspace: string, target: string): { agents: AgentRef[]; unread?: unknown } {
  const [agentId = '', task] = target.split('/').reverse()
  const tasks = listTasks(workspace).filter(taskId => task === undefined || taskId === task)
  const found: ReturnType<typeof findAgents> = { agents: [] }
  for (const taskId of tasks)
    try {
      const { agents } = readTaskRegistry(workspace, taskId)
      if (agents.some(({ id }) => id === agentId)) found.agents.push({ workspace, taskId, agentId })
    } catch (error) {
      found.unread = error
    }
  return found
}

function unknown(workspace: string, target: string): CleanupError {
  return new CleanupError(
    'unknown-agent',
    `No registry in ${workspace} lists an agent ${JSON.stringify(target)}; expected an agent’s id, <task>/<agent>, or a process’s number.`,
  )
}
