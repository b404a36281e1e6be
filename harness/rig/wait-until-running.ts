import { CannotMeasureError } from '../errors.ts'
import { Limit } from '../limit.ts'
import { poll } from '../poll.ts'
import type { ProbeApi } from '../probe/api.ts'
import type { Agent } from './agent.ts'
import { type Directive, directiveText } from './directive.ts'
import { loadMissing, shapeMissing } from './required-load.ts'

const deadlineMs = 60_000

/** A claude that refuses says so as soon as it has started; a probe that got no answer in its time asks once more. */
const refusesWithinMs = 30_000

/**
 * Waits until an agent is at work, and until all that it is made of, and all that it makes, has been seen.
 * @throws CannotMeasureError when that does not come: its absence afterwards would prove nothing.
 */
export async function waitUntilRunning(agent: Agent): Promise<void> {
  const { probe } = agent.rig
  await agent.waitUntilReady().catch(async error => {
    throw (await agent.journal()).length > 0 ? error : ((await refusal(probe, agent.directive)) ?? error)
  })
  await probe.registerReported(agent.id, await agent.reportedResources())
  await seeLoad(agent)
}

/** What claude itself says of a directive that it does not take: the orchestrator's pane is gone with its words. */
async function refusal(probe: ProbeApi, directive: Directive): Promise<CannotMeasureError | undefined> {
  const ask = () => probe.run(['claude', '--print', directiveText(directive)]).catch(() => undefined)
  const asked = await poll(refusesWithinMs, ask)
  if (!asked || asked.code === 0) return undefined
  return new CannotMeasureError(`The fake claude refused to start: ${asked.stderr.trim()}`)
}

async function seeLoad(agent: Agent): Promise<void> {
  let missing: string[] = []
  const own = await agent.reportedResources()
  const limit = new Limit(deadlineMs)
  const seen = await poll(deadlineMs, async () => {
    const snapshot = await agent.rig.snapshot()
    missing = [...loadMissing(agent.id, snapshot), ...shapeMissing(own, snapshot)]
    return missing.length === 0 || undefined
  })
  if (seen) return
  const log = await agent.rig.probe.systemLog()
  throw new CannotMeasureError(
    `Agent ${agent.id} was deployed, but its ${missing.join(', ')} did not appear within ${limit.elapsed}. ${log}`,
  )
}
