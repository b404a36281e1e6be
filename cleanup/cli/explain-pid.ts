import type { Claim } from '../claims/evidence.ts'
import { type OfOther, otherWorkspaceOf } from '../claims/leftovers/sessions.ts'
import { processStartedAgain } from '../claims/leftovers/started-again.ts'
import { findNearMisses, type NearMiss } from '../claims/near-misses.ts'
import { attemptAsync, CleanupError, messageOf } from '../errors.ts'
import { selfAndAncestors } from '../platform/processes/ancestry.ts'
import { commandOf } from '../platform/processes/details.ts'
import { type ProcessTable, readMachine, type SeenProcess } from '../platform/processes/table.ts'
import { planFor } from '../reaper/plan.ts'
import { describeRestart } from '../reaper/supervisors.ts'
import type { AgentRef } from '../registry/layout.ts'
import type { Registries } from '../registry/read-all.ts'
import { findLeft } from '../sweep/left.ts'
import { exitCodes } from './exit-codes.ts'
import { nameOf, printable } from './format.ts'
import { print, printJson } from './output.ts'
import { nearMissesText } from './plan-text.ts'

interface Found {
  /** `startedAgain`: that it began after the agent's cleanup had ended, in a sentence. */
  owners: { agent: AgentRef; claim: Claim; startedAgain?: string }[]
  /** The agents that the process resembles, and why it is not theirs. */
  similar: { agent: AgentRef; why: NearMiss }[]
  /** What could not be read or queried, in sentences. */
  problems: string[]
}

/** The evidence that makes a process an agent's. */
const NEEDED =
  'a parent, terminal or session of an agent; an agent’s TMUX and TMUX_PANE, or LEAKRIG_AGENT, in its initial environment; an agent’s log open for writing; or a subreaper or cgroup that the agent was deployed in'

/** Prints which agent a process belongs to and why, or that no evidence ties it to one. Returns the exit code. */
export async function explainPid(
  workspace: string,
  pid: number,
  registries: Registries,
  json: boolean,
): Promise<number> {
  const { table } = await readMachine()
  const process = table.get(pid)
  if (!process)
    throw new CleanupError(
      'bad-argument',
      `There is no process ${pid}, and no agent of that name; check the number.`,
    )
  const found = await findOwners(workspace, pid, registries)
  const traces = found.owners.length === 0 ? await findTraces(workspace, pid, registries, found) : {}
  const { start, comm, environment } = process
  const { readable: isEnvironmentReadable } = environment
  if (json) printJson({ ...{ pid, start, comm, isEnvironmentReadable, ...found }, ...traces, needed: NEEDED })
  else print([...processText(process, table), ...ownersText(found, process, traces, workspace)])
  return found.problems.length > 0 || mayBeOwned(found, process) ? exitCodes.uncertain : exitCodes.done
}

/** What ties a process without an owner to agents that these registries do not list, or whose cleanup is done. */
interface Traces {
  /** Why sweep and status list it as a leftover. */
  leftover?: string
  foreign?: OfOther
}

/** Finds the traces by the list that sweep and status show. */
async function findTraces(
  workspace: string,
  pid: number,
  registries: Registries,
  { problems }: Found,
): Promise<Traces> {
  const left = await attemptAsync(
    () => findLeft(workspace, registries, []),
    problem => problems.push(problem),
  )
  const leftover = left?.leftovers.processes.find(one => one.pid === pid)?.why
  const foreign = left && otherWorkspaceOf(pid, left)
  return { ...(leftover !== undefined && { leftover }), ...(foreign && { foreign }) }
}

/** True for a process without an owner whose environment, which may hold the evidence, could not be read. */
const mayBeOwned = ({ owners }: Found, { environment, kernel }: SeenProcess): boolean =>
  owners.length === 0 && !environment.readable && !kernel

async function findOwners(workspace: string, pid: number, { tasks, problems }: Registries): Promise<Found> {
  const found: Found = { owners: [], similar: [], problems: [...problems] }
  const candidates = [...tasks].flatMap(([taskId, registry]) =>
    registry.agents.map(({ id }) => ({ agent: { workspace, taskId, agentId: id }, registry })),
  )
  await Promise.all(
    candidates.map(async ({ agent, registry }) => {
      try {
        const { observation, claims, leftRunning } = await planFor(agent, registry)
        const left = leftRunning.find(one => one.claim.process.pid === pid)
        const claim = left?.claim ?? claims.claimed.get(pid)
        const { entry, table } = observation
        const place = { table, isInSession: false }
        const startedAgain = left
          ? describeRestart(left.claim, left.by)
          : claim && processStartedAgain(agent, entry, claim.process, place)
        if (claim) found.owners.push({ agent, claim, ...(startedAgain !== undefined && { startedAgain }) })
        const why = claim ? undefined : findNearMisses(observation, claims).find(one => one.pid === pid)
        if (why) found.similar.push({ agent, why })
      } catch (error) {
        found.problems.push(`${agent.agentId}: ${messageOf(error)}`)
      }
    }),
  )
  return found
}

function processText(process: SeenProcess, table: ProcessTable): string[] {
  const { marker, tmux, pane, readable } = process.environment
  const marks = Object.entries({ LEAKRIG_AGENT: marker, TMUX: tmux, TMUX_PANE: pane }).filter(
    ([, value]) => value,
  )
  const environment =
    marks.map(([name, value]) => `${name}=${printable(value ?? '')}`).join(' ') ||
    'no mark of an agent or a pane'
  return [
    `process ${nameOf(process)} ${printable(commandOf(process))}`,
    `  parents: ${parentsText(table, process.pid)}; session ${process.sid}, group ${process.pgid}`,
    `  environment: ${readable ? environment : 'could not be read'}`,
  ]
}

function parentsText(table: ProcessTable, pid: number): string {
  const chain = selfAndAncestors(table, pid)
  const parents = chain.slice(1).map(nameOf).join(', ')
  // Process 1 has no parent, and those of kernel threads and of programs from outside of the pid namespace are not shown.
  if (chain.at(-1)?.ppid !== 1) return parents || 'none'
  return parents ? `${parents}, then process 1` : 'process 1'
}

function ownersText(
  found: Found,
  process: SeenProcess,
  { leftover, foreign }: Traces,
  workspace: string,
): string[] {
  const { owners, similar, problems } = found
  const lines = owners.flatMap(({ agent, claim, startedAgain }) => [
    `it belongs to agent ${agent.agentId} of ${agent.taskId}:`,
    ...claim.evidence.map(({ kind, detail }) => `  ${kind}: ${printable(detail)}`),
    ...(startedAgain === undefined ? [] : [`  ${printable(startedAgain, 700)}`]),
  ])
  if (foreign)
    lines.push(
      `it belongs to no agent of this workspace, but to the workspace ${printable(foreign.workspace, 300)}: ${printable(foreign.why, 300)}`,
    )
  else if (leftover !== undefined)
    lines.push(
      `it belongs to no agent whose cleanup is to come, and is a leftover: ${printable(leftover, 700)}. "leakrig sweep ${printable(workspace, 300)}" shows what a sweep would do about this process`,
    )
  else if (mayBeOwned(found, process))
    lines.push(
      `no evidence ties it to an agent, but its environment could not be read. A claim would need ${NEEDED}.`,
    )
  else if (owners.length === 0) lines.push(`it belongs to no agent. A claim would need ${NEEDED}.`)
  for (const { agent, why } of similar)
    lines.push(
      `it does not belong to agent ${agent.agentId}, although it looks similar:`,
      ...nearMissesText([why]),
    )
  if (process.kernel) lines.push('it is a kernel thread')
  return [...lines, ...problems.map(problem => `not checked: ${printable(problem, 400)}`)]
}
