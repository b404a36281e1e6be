import type { Claim } from '../claims/evidence.ts'
import { findNearMisses, type NearMiss } from '../claims/near-misses.ts'
import { CleanupError, messageOf } from '../errors.ts'
import { selfAndAncestors } from '../platform/processes/ancestry.ts'
import { commandOf } from '../platform/processes/details.ts'
import { type ProcessTable, readTable, type SeenProcess } from '../platform/processes/table.ts'
import { planFor } from '../reaper/plan.ts'
import type { AgentRef } from '../registry/layout.ts'
import type { Registries } from '../registry/read-all.ts'
import { exitCodes } from './exit-codes.ts'
import { nameOf, printable } from './format.ts'
import { nearMissesText } from './plan-text.ts'

interface Found {
  owners: { agent: AgentRef; claim: Claim }[]
  /** The agents that the process resembles, and why it is not theirs. */
  similar: { agent: AgentRef; why: NearMiss }[]
  /** What could not be read or queried, in sentences. */
  problems: string[]
}

/** The evidence that makes a process an agent's. */
const NEEDED =
  'a parent, terminal or session of an agent; an agent’s TMUX and TMUX_PANE, or LEAKRIG_AGENT, in its initial environment; an agent’s log open for writing; or a subreaper or cgroup that the agent was deployed in'

/** Prints which agent a process belongs to and why, or that it belongs to none. Returns the exit code. */
export async function explainPid(
  workspace: string,
  pid: number,
  registries: Registries,
  json: boolean,
): Promise<number> {
  const table = await readTable()
  const process = table.get(pid)
  if (!process)
    throw new CleanupError(
      'bad-argument',
      `There is no process ${pid}, and no agent of that name; check the number.`,
    )
  const found = await findOwners(workspace, pid, registries)
  if (json)
    console.log(
      JSON.stringify({ pid, start: process.start, comm: process.comm, ...found, needed: NEEDED }, null, 2),
    )
  else console.log([...processText(process, table), ...ownersText(found, process)].join('\n'))
  return found.problems.length > 0 ? exitCodes.uncertain : exitCodes.done
}

async function findOwners(workspace: string, pid: number, { tasks, problems }: Registries): Promise<Found> {
  const found: Found = { owners: [], similar: [], problems: [...problems] }
  const candidates = [...tasks].flatMap(([taskId, registry]) =>
    registry.agents.map(({ id }) => ({ agent: { workspace, taskId, agentId: id }, registry })),
  )
  await Promise.all(
    candidates.map(async ({ agent, registry }) => {
      try {
        const { observation, claims } = await planFor(agent, registry)
        const claim = claims.claimed.get(pid)
        if (claim) found.owners.push({ agent, claim })
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
  const [, ...parents] = selfAndAncestors(table, process.pid)
  const { marker, tmux, pane, readable } = process.environment
  const marks = Object.entries({ LEAKRIG_AGENT: marker, TMUX: tmux, TMUX_PANE: pane }).filter(
    ([, value]) => value,
  )
  const environment =
    marks.map(([name, value]) => `${name}=${printable(value ?? '')}`).join(' ') ||
    'no mark of an agent or a pane'
  return [
    `process ${nameOf(process)} ${printable(commandOf(process))}`,
    `  parents: ${parents.map(nameOf).join(', ') || 'none'}, then process 1; session ${process.sid}, group ${process.pgid}`,
    `  environment: ${readable ? environment : 'could not be read'}`,
  ]
}

function ownersText({ owners, similar, problems }: Found, process: SeenProcess): string[] {
  const lines = owners.flatMap(({ agent, claim }) => [
    `it belongs to agent ${agent.agentId} of ${agent.taskId}:`,
    ...claim.evidence.map(({ kind, detail }) => `  ${kind}: ${printable(detail)}`),
  ])
  if (owners.length === 0) lines.push(`it belongs to no agent. A claim would need ${NEEDED}.`)
  for (const { agent, why } of similar)
    lines.push(
      `it does not belong to agent ${agent.agentId}, although it looks similar:`,
      ...nearMissesText([why]),
    )
  if (process.kernel) lines.push('it is a kernel thread')
  return [...lines, ...problems.map(problem => `not checked: ${printable(problem, 400)}`)]
}
