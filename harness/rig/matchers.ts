import { expect } from 'vitest'
import type { Ending } from '../definition/definition.ts'
import type { PlannedRegistry } from '../definition/system.ts'
import { findingsText } from '../report/findings-text.ts'
import type { Agent } from './agent.ts'
import { archiveFaults, strayArchives } from './archive.ts'
import { staleInList } from './list.ts'
import { findLostLines } from './lost-lines.ts'
import type { MatchedAgent } from './matcher-types.ts'
import type { SystemUnderTest } from './system-under-test.ts'

expect.extend({
  async toReturnToBaseline(rig: SystemUnderTest, ended?: MatchedAgent) {
    const verdict = await rig.settle()
    if (ended) await findLostLines(ended as Agent)
    const stale = await staleInList(rig)
    const unreported = await rig.failedReports()
    const unmet = [...rig.failures, ...unreported, ...stale]
    rig.unmet.push(...unreported, ...stale)
    const isBack = verdict.result === 'pass'
    return {
      pass: isBack && unmet.length === 0,
      message: () => {
        if (!isBack)
          return `expected the sandbox to return to its baseline, and it did not\n${[findingsText(verdict), ...unmet].join('\n')}`
        if (unmet.length === 0) return 'expected the sandbox not to return to its baseline, and it did'
        return ['the sandbox returned to its baseline, and these expectations were not met:', ...unmet].join(
          '\n',
        )
      },
    }
  },

  async toHaveArchivedLogs(received: Agent | readonly Agent[]) {
    const agents = [received].flat()
    const [first] = agents
    if (!first) return { pass: false, message: () => 'no agent was named, so nothing was checked' }
    const { rig } = first
    const faults: string[] = []
    if (rig.definition.logs?.archived === undefined) rig.leaveOut('the archive of the logs', 'logs.archived')
    else {
      for (const agent of agents) faults.push(...(await archiveFaults(rig, agent)))
      faults.push(...(await strayArchives(rig, agents)))
    }
    if (!rig.definition.logs) rig.leaveOut('lines of the log that may be lost', 'logs')
    for (const agent of agents)
      for (const { what, command } of await findLostLines(agent)) faults.push(`${what} ($ ${command})`)
    const unmet = ['expected complete archived logs, and found:', ...faults].join('\n  ')
    return outcome(rig, faults.length === 0, unmet)
  },

  async toBeRegisteredAs(agent: Agent, ending: Ending, reason?: RegExp) {
    const { rig } = agent
    const { layout, statuses } = rig.definition
    const status = statuses[ending]
    if (layout.registries.length === 0 || status === undefined) {
      const field = layout.registries.length === 0 ? 'registries' : `statuses.${ending}`
      rig.leaveOut('the status in the registries', field)
      return {
        pass: true,
        message: () => `expected ${agent.id} not to be registered, and that was not checked`,
      }
    }
    const entries = await agent.registered()
    const isRight = (declared: PlannedRegistry) => {
      const entry = entries[declared.name]
      const written = declared.reason === undefined ? undefined : (entry?.[declared.reason] ?? '')
      return (
        entry?.[declared.status] === status &&
        (!reason || written === undefined || reason.test(String(written)))
      )
    }
    const wanted = `${status}${reason ? ` with a reason that matches ${reason}` : ''}`
    const unmet = `expected ${agent.id} to be registered as ${wanted}, and found ${JSON.stringify(entries)}`
    return outcome(rig, layout.registries.every(isRight), unmet)
  },
})

/** Records an unmet expectation for the report: it is a finding, and not a failure of the rig. */
function outcome(rig: SystemUnderTest | undefined, pass: boolean, unmet: string) {
  if (!pass) rig?.unmet.push(unmet)
  return { pass, message: () => unmet }
}
