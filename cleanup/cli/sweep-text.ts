import { durationText } from '../platform/duration.ts'
import type { Plan } from '../reaper/plan.ts'
import type { Action, CleanupResult } from '../sweep/actions.ts'
import type { FoundAgent } from '../sweep/agents.ts'
import { isAskedFor } from '../sweep/asked-for.ts'
import { isUncertain, type Sweep } from '../sweep/sweep.ts'
import { isRemovable } from '../sweep/unlisted.ts'
import { count, foreignText, nameOf, printable, suspectText } from './format.ts'
import { fileText, RECORDED_END, staysText, stepsText, treeText } from './plan-text.ts'

/** What a sweep was asked for. */
interface Wanted {
  orphans: boolean
  /** The names of sessions. */
  names: readonly string[]
  graceMs: number | undefined
}

/** A sweep for people: what was found, why it counts as ended, and what is done about it. */
export function sweepText(sweep: Sweep, { orphans: withUnlisted, names, graceMs }: Wanted): string[] {
  const { workspace, tasks, unlisted, problems } = sweep
  // A stopped sweep only counts the agents that it did not reach (stoppedSummary).
  const agents = sweep.agents.filter(({ state, done }) => !(sweep.stopped && state === 'ended' && !done))
  const live = agents.filter(({ state }) => state === 'live').length
  const ended = sweep.agents.filter(({ state }) => state === 'ended').length
  const others = sweep.agents.length - live - ended
  const unlistedEntries = sweep.stale.entries.filter(({ isListed }) => !isListed)
  const all = [...unlisted.sessions, ...unlisted.processes, ...unlisted.prompts]
  const young = all.filter(({ leftAlone }) => leftAlone?.kind === 'young').length
  const left = all.length - young + unlistedEntries.length
  const named = new Set<object>(unlisted.sessions.filter(one => isAskedFor(names, one)))
  const isNamed = (one: object) => named.has(one)
  const mayRemoveMore =
    !withUnlisted && (all.some(one => isRemovable(one) && !isNamed(one)) || unlistedEntries.length > 0)
  return [
    `${workspace}: ${count(tasks, 'task')}, ${count(ended, 'agent')} to clean up, ${live} live, ${others > 0 ? `${others} left alone, ` : ''}${left} unlisted${young > 0 ? `, ${young} young` : ''}`,
    ...leftAloneText(sweep),
    ...foreignText(sweep.foreign).map(line => `  ${line}`),
    ...agents.flatMap(agent => agentText(agent, graceMs)),
    ...unlistedText(sweep, { orphans: withUnlisted, names, graceMs }),
    ...staleText(sweep, withUnlisted),
    ...problems.map(problem => `  could not be read or queried: ${printable(problem, 1_000)}`),
    sweep.applied ? doneSummary(sweep) : summary(sweep, mayRemoveMore),
  ]
}

function agentText(found: FoundAgent & { done?: CleanupResult }, graceMs: number | undefined): string[] {
  const { agent, state, why, done } = found
  const name = `${printable(agent.taskId)}/${printable(agent.agentId)}`
  if (state === 'live') return []
  if (state !== 'ended') return [`  ${name} is left alone: ${printable(why, 1_000)}`]
  const { plan, to, startedAgain, suspects } = found
  const lines = [
    ...startedAgain.map(began => printable(began, 700)),
    ...treeText(plan),
    ...stepsText(plan, graceMs, RECORDED_END),
    ...staysText(plan),
    ...(found.status === to ? [] : [`  its status becomes ${to}`]),
    ...(done?.suspects ?? suspects).map(one => `  suspect, left alone: ${suspectText(one)}`),
  ]
  return [`  ${name}: ${printable(why, 1_000)}`, ...lines.map(line => `    ${line}`), ...doneText(done)]
}

function unlistedText({ unlisted, leftovers }: Sweep, { orphans: wanted, names, graceMs }: Wanted): string[] {
  const verb = (be: string, { leftAlone }: { leftAlone?: { why: string } }) =>
    leftAlone
      ? `${be} left alone: ${printable(leftAlone.why, 500)}`
      : `${be} removed${wanted ? '' : ' only with --orphans'}`
  const isGoing = (one: Parameters<typeof isRemovable>[0]) => wanted && isRemovable(one)
  const steps = (plan: Plan) => stepsText(plan, graceMs).map(line => `    ${line}`)
  const fate = (session: Sweep['unlisted']['sessions'][number]) => {
    const { name, inUse, leftAlone, plan } = session
    if (leftAlone) return verb('is', session)
    const isNamed = isAskedFor(names, session)
    if (inUse !== undefined)
      return isNamed
        ? `is removed, although ${inUse}`
        : `is left alone, because ${inUse}; --session ${printable(name)} removes it`
    const removed = isNamed ? 'is removed' : verb('is', session)
    const stays = plan.stays.map(why => printable(why, 500)).join(' ')
    return plan.session ? removed : `is not closed, but what is claimed in it ${removed}: ${stays}`
  }
  const sessions = unlisted.sessions.flatMap(session => [
    `  session ${printable(session.name)} (${session.id} on ${session.socket}, ${durationText(session.ageMs)} old), which no task’s registry lists, ${fate(session)}`,
    ...(leftovers?.sessions ?? []).flatMap(({ id, name, why }) =>
      why !== undefined && id === session.id && name === session.name ? [`    ${printable(why, 500)}`] : [],
    ),
    ...claimedText(session.plan),
    ...(isGoing(session) || (names.includes(session.name) && !session.leftAlone) ? steps(session.plan) : []),
  ])
  const processes = unlisted.processes.flatMap(one => [
    `  processes of agent ${printable(`${one.agent.workspace}/${one.agent.taskId}/${one.agent.agentId}`)} (${durationText(one.ageMs)} old), which no task’s registry lists, ${verb('are', one)}`,
    ...claimedText(one.plan),
    ...(isGoing(one) ? steps(one.plan) : []),
  ])
  const prompts = unlisted.prompts.map(
    file => `  prompt ${fileText(file)}, which no task’s registry lists, ${verb('is', file)}`,
  )
  const { done } = unlisted
  const didNothing = done?.actions.length === 0 && done.problems.length === 0
  return [...sessions, ...processes, ...prompts, ...doneText(didNothing ? undefined : done)]
}

const claimedText = (plan: Plan): string[] => [
  ...(plan.end.length > 0 ? treeText(plan).map(line => `    ${line}`) : []),
  ...plan.archive.map(file => `    ${fileText(file)} is saved in the archive: only these processes hold it`),
  ...plan.loses.map(why => `    ${printable(why, 700)} Copy it out of /proc/<pid>/fd first to keep it.`),
]

/** What no plan ends: leftover processes that no evidence ties to an agent, and the suspects that no agent's lines name. */
function leftAloneText({ agents, unlisted, leftovers, suspects }: Sweep): string[] {
  const ended = agents.filter(found => found.state === 'ended')
  const plans = [...ended, ...unlisted.sessions, ...unlisted.processes].map(({ plan }) => plan)
  const planned = new Set(plans.flatMap(({ end }) => end.map(({ pid }) => pid)))
  const whySpared = (pid: number) => unlisted.spared.filter(one => one.pid === pid).map(({ why }) => why)
  const named = new Set(ended.flatMap(found => found.suspects.map(({ pid }) => pid)))
  return [
    ...(leftovers?.sessions ?? [])
      .filter(({ id, name }) => !unlisted.sessions.some(one => one.id === id && one.name === name))
      .map(
        one =>
          `  leftover, left alone: session ${printable(one.name)} (${one.id} on ${one.socket})${one.why === undefined ? '' : `: ${printable(one.why, 500)}`}`,
      ),
    ...(leftovers?.processes ?? [])
      .filter(({ pid }) => !planned.has(pid))
      .map(
        one =>
          `  leftover, left alone: ${nameOf(one)}: ${[one.why, ...whySpared(one.pid)].map(why => printable(why, 700)).join('; ')}`,
      ),
    ...suspects
      .filter(({ pid }) => !planned.has(pid) && !named.has(pid))
      .map(
        one =>
          `  suspect, left alone: ${suspectText(one)} (of ${one.agents
            .slice(0, 5)
            .map(name => printable(name))
            .join(', ')})`,
      ),
  ]
}

function staleText({ stale }: Sweep, wanted: boolean): string[] {
  const entries = stale.entries.map(({ taskId, agentId, to, why, isListed }) => {
    const condition = isListed || wanted ? '' : ' (only with --orphans)'
    const name = `${printable(taskId)}/${printable(agentId)}`
    return `  ${name}, which the global registry counts as live, becomes ${printable(to)}${condition}: ${why}`
  })
  return [...entries, ...doneText(stale.done)]
}

function doneText(done: CleanupResult | undefined): string[] {
  if (!done) return []
  return [
    `    ${done.outcome}: ${count(done.actions.length, 'action')}`,
    ...done.problems.map(problem => `    left: ${printable(problem, 1_000)}`),
  ]
}

function summary(sweep: Sweep, hasUnlisted: boolean): string {
  if (hasUnlisted && sweep.actions.length === 0)
    return 'nothing was done; --apply --orphans would remove what no task’s registry lists'
  const wouldDo = `nothing was done; --apply would carry out ${count(sweep.actions.length, 'action')}: ${sumsText(sweep.actions)}`
  if (hasUnlisted) return `${wouldDo}, and with --orphans more (what no task’s registry lists)`
  if (sweep.actions.length > 0) return wouldDo
  return isUncertain(sweep) ? 'nothing to do in what could be read and queried' : 'nothing to do'
}

/** What is counted as one action, by the verbs of `Action`. */
const COUNTED: Record<Action['do'], [verb: string, one: string, many: string]> = {
  end: ['end', 'process', 'processes'],
  close: ['close', 'session', 'sessions'],
  remove: ['remove', 'file', 'files'],
  archive: ['archive', 'file', 'files'],
  register: ['write', 'entry', 'entries'],
}

function sumsText(actions: readonly Action[]): string {
  const sums = Object.entries(COUNTED).map(([kind, [verb, one, many]]) => {
    const { length } = actions.filter(action => action.do === kind)
    return length > 0 ? `${verb} ${count(length, one, many)}` : ''
  })
  return sums.filter(Boolean).join(', ')
}

function doneSummary({ agents, unlisted, stale, stopped }: Sweep): string {
  const all = [...agents, unlisted, stale].flatMap(({ done }) => done ?? [])
  const actions = all.reduce((sum, done) => sum + done.actions.length, 0)
  const left = all.filter(({ outcome }) => outcome === 'unfinished' || outcome === 'failed').length
  if (stopped) return stoppedSummary(agents, actions)
  return `${count(actions, 'action')} done${left > 0 ? `, and ${left} of ${all.length} cleanups not finished` : ''}`
}

function stoppedSummary(agents: Sweep['agents'], actions: number): string {
  const ended = agents.filter(({ state }) => state === 'ended')
  const begun = ended.filter(({ done }) => done?.outcome === 'interrupted').length
  const open = ended.filter(({ done }) => !done).length
  const done = ended.length - begun - open
  return `stopped: ${count(done, 'agent')} cleaned up with ${count(actions, 'action')}, ${begun} begun and not finished, ${open} not begun`
}
