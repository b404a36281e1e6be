import { deployCell, expect, expectCleanedUp, poll, test } from '../../harness/index.ts'
import type { CellTest } from './matrix.ts'
import { redWithoutCleanup } from './red-without-cleanup.ts'

/** How long a cleanup may take after its answer to end what it has not named, ms. */
const endsWithinMs = 5_000

/**
 * Makes the cell `<name> × killed` of a shape that nothing ties to its agent: what the cleanup does not end, its answer has
 * to list as a suspect.
 * @param why why nothing does; the report prints it beside what is left
 */
export function namedAsSuspect(name: string, shape: string, why: string, cellTest: CellTest = test): void {
  cellTest(`${name} × killed`, async ({ rig }) => {
    const cell = await deployCell(rig, { shape: { shape }, ending: 'killed' })
    const { pids } = await cell.agent.reportedResources()
    const left = async (which: number[]) =>
      (await rig.snapshot()).resources.some(one => one.kind === 'process' && which.includes(one.pid))
    await redWithoutCleanup(/is ended or listed as a suspect/, async () => {
      const answer = JSON.stringify(await cell.agent.isKilled())
      const unnamed = pids.filter(pid => !new RegExp(`"suspects":\\[.*"pid":${pid}\\b`).test(answer))
      const ended = await poll(endsWithinMs, async () => !(await left(unnamed)) || undefined)
      expect(ended, 'is ended or listed as a suspect').toBe(true)
      await rig.ignore(`suspect: ${why}`, one => one.kind === 'process' && pids.includes(one.pid))
      await expectCleanedUp(cell, 'terminated')
    })
  })
}
