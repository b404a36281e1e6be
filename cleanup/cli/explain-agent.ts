import { describeStartedAgain } from '../claims/leftovers/started-again.ts'
import { findNearMisses, type NearMiss } from '../claims/near-misses.ts'
import { describePlan, type Plan, planFor } from '../reaper/plan.ts'
import { type AgentRef, validateRef } from '../registry/layout.ts'
import type { Registries } from '../registry/read-all.ts'
import { peekGlobalRegistry, readTaskRegistry, requireAgent } from '../registry/registry.ts'
import { exitCodes } from './exit-codes.ts'
import { printable } from './format.ts'
import { print, printJson } from './output.ts'
import { nearMissesText, RECORDED_END, staysText, stepsText, treeText } from './plan-text.ts'

/** Prints what belongs to an agent, why, and what a cleanup would do. Returns the exit code. */
export async function explainAgent(
  agent: AgentRef,
  { problems }: Registries,
  json: boolean,
): Promise<number> {
  validateRef(agent)
  const registry = readTaskRegistry(agent.workspace, agent.taskId)
  const { status, cleanup } = requireAgent(registry, agent)
  const planned = await planFor(agent, registry)
  const startedAgain = describeStartedAgain(planned.observation, planned.claims)
  const plan = describePlan(planned)
  const nearMisses = findNearMisses(planned.observation, planned.claims)
  if (json) printJson({ agent, status, cleanup, plan, startedAgain, nearMisses, problems })
  else
    print([
      `agent ${agent.agentId} of ${agent.taskId} in ${agent.workspace}: ${printable(status)}, ${sessionText(plan)}`,
      ...startedAgain.map(why => printable(why, 700)),
      ...planText(plan, nearMisses, isGlobalRegistryReadable(agent.workspace)),
      ...problems.map(problem => `could not be read: ${printable(problem, 1_000)}`),
    ])
  return problems.length > 0 ? exitCodes.uncertain : exitCodes.done
}

const sessionText = ({ session }: Plan): string =>
  session ? `session ${printable(session.name)} (${session.id} on ${session.socket})` : 'no session'

function planText(plan: Plan, nearMisses: readonly NearMiss[], canBegin: boolean): string[] {
  // A cleanup that has nothing to do may be done already.
  const steps = stepsText(plan).length > 0 ? stepsText(plan, undefined, RECORDED_END) : []
  const head = canBegin
    ? 'a cleanup would, in this order:'
    : 'a cleanup would refuse, because the global registry cannot be read; otherwise it would, in this order:'
  return [
    ...treeText(plan),
    ...(steps.length > 0 ? [head, ...steps] : ['nothing is left to end, remove or archive']),
    ...staysText(plan),
    ...(nearMisses.length > 0 ? ['not claimed, although similar:', ...nearMissesText(nearMisses)] : []),
  ]
}

/** A cleanup that cannot record an end in both registries refuses to begin. */
function isGlobalRegistryReadable(workspace: string): boolean {
  try {
    peekGlobalRegistry(workspace)
    return true
  } catch {
    return false
  }
}
