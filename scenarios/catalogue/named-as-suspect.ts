import { deployCell, expectCleanedUp, test } from '../../harness/index.ts'
import type { CellTest } from './matrix.ts'
import { redWithoutCleanup } from './red-without-cleanup.ts'

/**
 * Makes the cell `<name> × killed` of a shape that nothing ties to its agent: what the cleanup does not end, its answer has
 * to list as a suspect. Otherwise it is a leak.
 * @param why why nothing does; the report prints it beside what is left
 */
export function namedAsSuspect(name: string, shape: string, why: string, cellTest: CellTest = test): void {
  cellTest(`${name} × killed`, async ({ rig }) => {
    const cell = await deployCell(rig, { shape: { shape }, ending: 'killed' })
    const { pids } = await cell.agent.reportedResources()
    await redWithoutCleanup(/expected the sandbox to return to its baseline/, async () => {
      const answer = JSON.stringify(await cell.agent.isKilled())
      const named = pids.filter(pid => new RegExp(`"suspects":\\[.*"pid":${pid}\\b`).test(answer))
      await rig.ignore(`suspect: ${why}`, one => one.kind === 'process' && named.includes(one.pid))
      await expectCleanedUp(cell, 'terminated')
    })
  })
}
