import { CannotMeasureError } from '../errors.ts'
import { Limit } from '../limit.ts'
import { poll } from '../poll.ts'
import type { ProbeApi } from '../probe/api.ts'
import type { Agent } from './agent.ts'
import { requireDeclaredFiles } from './declared-files.ts'
import { type Directive, directiveText } from './directive.ts'
import { waitUntilListed } from './list.ts'
import { locate } from './locate-agent.ts'
import { namesOf } from './measurement.ts'
import { missingLoad, missingReported } from './required-load.ts'
import { whatIsThere } from './what-is-there.ts'

const deadlineMs = 20_000

const mute =
  "No claude has started with this agent’s prompt: it was not started, it ended at once, or the prompt did not reach it unchanged (then: claude: { directives: 'orders' })."

/**
 * Waits until an agent runs, and until a snapshot shows everything that it consists of and everything that it made.
 * @throws CannotMeasureError when that does not happen: absence afterwards would prove nothing
 */
export async function waitUntilRunning(agent: Agent): Promise<void> {
  const { probe } = agent.rig
  await agent.waitUntilReady().catch(async error => {
    // First, because what `refusal` starts would be seen there.
    const explanation = await explained(error, agent)
    const hasStarted = (await agent.journal()).length > 0
    throw (hasStarted ? undefined : await refusal(probe, agent.directive)) ?? explanation
  })
  await findAgent(agent)
  await probe.registerReported(agent.id, await agent.reportedResources())
  await waitForLoad(agent)
  await requireDeclaredFiles(agent)
  await waitUntilListed(agent.rig, namesOf(agent))
}

/** Waits until an agent's claude has started. @throws CannotMeasureError that says what there is instead */
export async function waitUntilStarted(agent: Agent): Promise<void> {
  await agent.hasStarted().catch(async error => {
    throw await explained(error, agent)
  })
}

async function explained(error: unknown, agent: Agent): Promise<unknown> {
  if (!(error instanceof CannotMeasureError)) return error
  const isMute = (await agent.journal()).length === 0 && agent.rig.definition.directives === 'prompt'
  return new CannotMeasureError(
    [error.message, ...(isMute ? [mute] : []), ...(await whatIsThere(agent))].join('\n'),
  )
}

/** Learns what the system's answer did not name, and whose the agent's pane and processes are. */
async function findAgent(agent: Agent): Promise<void> {
  const { rig } = agent
  const located = await locate(rig, await agent.journal())
  const { claude, pane, session, processes } = located
  agent.located = located
  agent.values = {
    ...(claude && { pid: String(claude.pid) }),
    ...(pane && { pane: pane.pane, socket: pane.socket }),
    ...(session && { session: session.name }),
    ...agent.values,
  }
  const baseline = await rig.baseline()
  const isOwn = rig.definition.tmux === 'session' && !baseline.resources.some(({ id }) => id === session?.id)
  if (session && isOwn) return rig.probe.registerAgent({ id: agent.id, session: session.name })
  const panes =
    pane && !baseline.resources.some(({ id }) => id === pane.id) ? [`${pane.serverPid}:${pane.pane}`] : []
  await rig.probe.registerAgent({ id: agent.id, panes })
  await rig.probe.registerReported(agent.id, { pids: processes.map(({ pid }) => pid), paths: [] })
}

/** Why claude refuses a directive. This runs claude once more, because the message is gone with the agent's pane. */
async function refusal(probe: ProbeApi, directive: Directive): Promise<CannotMeasureError | undefined> {
  // One that does not refuse runs for longer than the probe waits for a program.
  const result = await probe.run(['claude', '--print', directiveText(directive)]).catch(() => undefined)
  if (!result || result.code === 0) return undefined
  return new CannotMeasureError(`The fake claude refused to start: ${result.stderr.trim()}`)
}

async function waitForLoad(agent: Agent): Promise<void> {
  let missing: string[] = []
  const reported = await agent.reportedResources()
  const limit = new Limit(deadlineMs)
  const seen = await poll(deadlineMs, async () => {
    const snapshot = await agent.rig.snapshot()
    missing = [...missingLoad(agent, snapshot), ...missingReported(reported, snapshot)]
    return missing.length === 0 || undefined
  })
  if (seen) return
  throw new CannotMeasureError(
    [
      `Agent ${agent.id} was deployed, but its ${missing.join(', ')} did not appear within ${limit.elapsed}.`,
      ...(await whatIsThere(agent)),
    ].join('\n'),
  )
}
