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
import type { ExplainOptions } from './explain.ts'
import { nameOf, printable } from './format.ts'
import { nearMissesText } from './plan-text.ts'

interface Owner {
  agent: AgentRef
  claim: Claim
}

interface Found {
  owners: Owner[]
  /** Of which agents it looks to be, and why it is not. */
  similar: { agent: AgentRef; why: NearMiss }[]
  /** What could not be read or asked, in sentences. */
  problems: string[]
}

/** What would make a process somebody's. */
const NEEDED =
  'a parent, a terminal or a session that is an agent’s; TMUX and TMUX_PANE of an agent’s pane, or LEAKRIG_AGENT, in the environment it was started with; an agent’s log open for writing; or a subreaper or a cgroup that the agent was deployed in'

/** Says whose a process is and why, or that it is nobody's. Returns the exit code. */
export async function explainPid(
  workspace: string,
  pid: number,
  registries: Registries,
  { json }: ExplainOptions,
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
  else console.log([...about(process, table), ...ownersText(found, process)].join('\n'))
  return found.problems.length > 0 ? exitCodes.uncertain : exitCodes.done
}

async function findOwners(workspace: string, pid: number, { tasks, problems }: Registries): Promise<Found> {
  const found: Found = { owners: [], similar: [], problems: [...problems] }
  const looks = [...tasks].flatMap(([taskId, registry]) =>
    registry.agents.map(({ id }) => ({ agent: { workspace, taskId, agentId: id }, registry })),
  )
  await Promise.all(
    looks.map(async ({ agent, registry }) => {
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

function about(process: SeenProcess, table: ProcessTable): string[] {
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
  if (owners.length === 0) lines.push(`it is nobody’s. What would have been needed: ${NEEDED}.`)
  for (const { agent, why } of similar)
    lines.push(`it is not agent ${agent.agentId}’s, though it looks similar:`, ...nearMissesText([why]))
  if (process.kernel) lines.push('it is a thread of the kernel')
  return [...lines, ...problems.map(problem => `not looked at: ${printable(problem, 400)}`)]
}
