import type { FoundAgent } from '../sweep/agents.ts'
import type { Done, Sweep } from '../sweep/sweep.ts'
import { fileText, stepsText, treeText } from './plan-text.ts'
import { count, duration, nameOf, printable } from './words.ts'

/** A sweep for people: what was found and why, and what is done about it. */
export function sweepText(sweep: Sweep, withOrphans: boolean, graceMs: number): string[] {
  const { workspace, agents, orphans, problems, actions, applied } = sweep
  const live = agents.filter(({ state }) => state === 'live').length
  const left = orphans.sessions.length + orphans.prompts.length
  return [
    `${workspace}: ${count(agents.length - live, 'agent')} to look at, ${live} at work, ${count(left, 'orphan')}`,
    ...agents.flatMap(agent => agentText(agent, graceMs)),
    ...orphanText(sweep, withOrphans),
    ...problems.map(problem => `  could not be read or asked: ${printable(problem, 500)}`),
    applied ? '' : summary(actions.length, left > 0 && !withOrphans),
  ].filter(line => line !== '')
}

function agentText(found: FoundAgent & { done?: Done }, graceMs: number): string[] {
  const { agent, state, why, done } = found
  const name = `${printable(agent.taskId)}/${printable(agent.agentId)}`
  if (state === 'live') return []
  if (state !== 'ended') return [`  ${name} is left alone: ${printable(why, 500)}`]
  const { plan, to, unattributable } = found
  const lost = unattributable.map(
    one => `  unattributable, left alone: ${nameOf(one)} ${printable(one.command)} (${one.looks.join('; ')})`,
  )
  const lines = [...treeText(plan), ...stepsText(plan, graceMs), `  it is registered as ${to}`, ...lost]
  return [`  ${name}: ${printable(why, 500)}`, ...lines.map(line => `    ${line}`), ...doneText(done)]
}

function orphanText({ orphans }: Sweep, wanted: boolean): string[] {
  const verb = wanted ? 'is removed' : 'is removed only with --orphans'
  const sessions = orphans.sessions.flatMap(({ name, id, socket, ageMs, plan }) => [
    `  session ${printable(name)} (${id} on ${socket}, ${duration(ageMs)} old), which no registry lists, ${verb}`,
    ...treeText(plan).map(line => `    ${line}`),
  ])
  const prompts = orphans.prompts.map(file => `  prompt ${fileText(file)}, which no registry lists, ${verb}`)
  return [...sessions, ...prompts, ...doneText(orphans.done)]
}

function doneText(done: Done | undefined): string[] {
  if (!done) return []
  return [
    `    ${done.outcome}: ${count(done.actions.length, 'action')}`,
    ...done.problems.map(problem => `    left: ${printable(problem, 500)}`),
  ]
}

function summary(actions: number, hasOrphans: boolean): string {
  const orphans = hasOrphans ? ', and --orphans for what no registry lists' : ''
  return actions === 0 && !hasOrphans
    ? 'nothing to do'
    : `nothing was done: ${count(actions, 'action')} with --apply${orphans}`
}
