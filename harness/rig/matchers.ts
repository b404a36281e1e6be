import { expect } from 'vitest'
import { findingsText } from '../report/text.ts'
import type { Agent } from './agent.ts'
import { archiveFaults, strayArchives } from './archive.ts'
import { findLostLines } from './lost-lines.ts'
import type { MatchedAgent } from './matcher-types.ts'
import type { SystemUnderTest } from './system-under-test.ts'

expect.extend({
  async toReturnToBaseline(rig: SystemUnderTest, ended?: MatchedAgent) {
    const verdict = await rig.settle()
    if (ended) await findLostLines(ended as Agent)
    return {
      pass: verdict.result === 'pass',
      message: () =>
        verdict.result === 'pass'
          ? 'expected the sandbox not to return to its baseline, and it did'
          : `expected the sandbox to return to its baseline, and it did not\n${findingsText(verdict)}`,
    }
  },

  async toHaveArchivedLogs(received: Agent | readonly Agent[]) {
    const agents = [received].flat()
    const faults = (await Promise.all(agents.map(agent => archiveFaults(agent.rig, agent)))).flat()
    for (const agent of agents)
      for (const { what, command } of await findLostLines(agent)) faults.push(`${what} ($ ${command})`)
    const rig = agents[0]?.rig
    if (rig) faults.push(...(await strayArchives(rig, agents)))
    else faults.push('no agent was named, so nothing was checked')
    const unmet = ['expected complete archived logs, and found:', ...faults].join('\n  ')
    return outcome(rig, faults.length === 0, unmet)
  },

  async toBeRegisteredAs(agent: Agent, status: string, reason?: RegExp) {
    const entries = await agent.registered()
    const right = (entry: Record<string, unknown> | undefined) =>
      entry?.status === status && (!reason || reason.test(String(entry.reason ?? '')))
    const wanted = `${status}${reason ? ` with a reason that matches ${reason}` : ''}`
    const unmet = `expected ${agent.id} to be registered as ${wanted}, and found ${JSON.stringify(entries)}`
    return outcome(agent.rig, right(entries.task) && right(entries.global), unmet)
  },
})

/** Records an unmet expectation for the report: it is a finding, and not a failure of the rig. */
function outcome(rig: SystemUnderTest | undefined, pass: boolean, unmet: string) {
  if (!pass) rig?.unmet.push(unmet)
  return { pass, message: () => unmet }
}
