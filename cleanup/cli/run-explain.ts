import fs from 'node:fs'
import { findNearMisses, type NearMiss } from '../claims/near-misses.ts'
import { CleanupError } from '../errors.ts'
import { fromCwd } from '../platform/cwd.ts'
import { GRACE_MS } from '../reaper/clean-up.ts'
import { type Plan, planFor } from '../reaper/plan.ts'
import { type AgentRef, validateRef } from '../registry/layout.ts'
import { type Registries, readRegistries } from '../registry/read-all.ts'
import { peekGlobalRegistry, readTaskRegistry, requireAgent } from '../registry/registry.ts'
import { exitCodes } from './exit-codes.ts'
import type { ExplainOptions } from './explain.ts'
import { explainPid } from './explain-pid.ts'
import { printable } from './format.ts'
import { nearMissesText, staysText, stepsText, treeText } from './plan-text.ts'
import { workspacesOf } from './workspace.ts'

/** Explains an agent or a process, and ends nothing. Returns the exit code. */
export async function explain(
  target: string,
  folder: string | undefined,
  options: ExplainOptions,
): Promise<number> {
  const [workspace = ''] = workspacesOf(folder === undefined ? [] : [folder])
  const registries = readRegistries(workspace)
  const agents = findAgents(workspace, target, registries)
  if (agents.length === 0 && /^\d+$/.test(target))
    return explainPid(workspace, Number(target), registries, options)
  const [agent] = agents
  if (!agent) throw unknown(workspace, target, registries)
  if (agents.length > 1)
    throw new CleanupError(
      'bad-argument',
      `${agents.length} tasks have an agent ${target}; say which one is meant, as in ${agent.taskId}/${target}.`,
    )
  return explainAgent(agent, registries, options)
}

async function explainAgent(
  agent: AgentRef,
  { problems }: Registries,
  { json }: ExplainOptions,
): Promise<number> {
  validateRef(agent)
  const registry = readTaskRegistry(agent.workspace, agent.taskId)
  const { status, cleanup } = requireAgent(registry, agent)
  const { plan, observation, claims } = await planFor(agent, registry)
  const others = findNearMisses(observation, claims)
  const lines = json
    ? [JSON.stringify({ agent, status, cleanup, plan, nearMisses: others, problems }, null, 2)]
    : [
        `agent ${agent.agentId} of ${agent.taskId} in ${agent.workspace}: ${printable(status)}, ${whereText(plan)}`,
        ...planText(plan, others, isGlobalRead(agent.workspace)),
        ...problems.map(problem => `could not be read: ${printable(problem, 500)}`),
      ]
  console.log(lines.join('\n'))
  return problems.length > 0 ? exitCodes.uncertain : exitCodes.done
}

const whereText = ({ session }: Plan): string =>
  session ? `session ${printable(session.name)} (${session.id} on ${session.socket})` : 'no session'

function planText(plan: Plan, others: readonly NearMiss[], canBegin: boolean): string[] {
  const steps = stepsText(plan, GRACE_MS)
  const head = canBegin
    ? 'a cleanup would, in this order:'
    : 'a cleanup would refuse, because the global registry cannot be read; otherwise it would, in this order:'
  return [
    ...treeText(plan),
    ...(steps.length > 0 ? [head, ...steps] : ['nothing of it is left to end, remove or archive']),
    ...staysText(plan),
    ...(others.length > 0 ? ['not claimed, though it looks similar:', ...nearMissesText(others)] : []),
  ]
}

/** A cleanup that cannot tell an end to both registries ends nothing. */
function isGlobalRead(workspace: string): boolean {
  try {
    peekGlobalRegistry(workspace)
    return true
  } catch {
    return false
  }
}

/** The agents that an id, or a task's and an agent's, can mean. */
function findAgents(workspace: string, target: string, { tasks }: Registries): AgentRef[] {
  const [agentId = '', task] = target.split('/').reverse()
  return [...tasks]
    .filter(([taskId]) => task === undefined || taskId === task)
    .filter(([, { agents }]) => agents.some(({ id }) => id === agentId))
    .map(([taskId]) => ({ workspace, taskId, agentId }))
}

/** Where a registry could not be read, it may list the agent. */
function unknown(workspace: string, target: string, { problems, isWhole }: Registries): CleanupError {
  const isFolder = fs.statSync(fromCwd(target), { throwIfNoEntry: false })?.isDirectory()
  if (isFolder && target.includes('/'))
    return new CleanupError(
      'bad-argument',
      `${JSON.stringify(target)} is a folder; name an agent or a process first: leakrig explain <agent|pid> ${target}.`,
    )
  if (!isWhole) return new CleanupError('registry-unreadable', problems.join(' '))
  return new CleanupError(
    'unknown-agent',
    `No registry in ${workspace} lists an agent ${JSON.stringify(target)}; expected an agent’s id, <task>/<agent>, or a process’s number.`,
  )
}
