import { deployCell, expectCleanedUp, needing, type RigTest, test } from '../../harness/index.ts'
import { redWithoutCleanup } from './red-without-cleanup.ts'

/**
 * Makes the cell `<name> × killed` of a shape that nothing ties to its agent: what the cleanup does not end, its answer has
 * to list as a suspect. Otherwise it is a leak.
 * @param why why nothing does; the report prints it beside what is left
 */
export function namedAsSuspect(name: string, shape: string, why: string, cellTest: RigTest = test): void {
  needing(['kill'], cellTest)(`${name} × killed`, async ({ rig }) => {
    const cell = await deployCell(rig, { shape: { shape }, ending: 'killed' })
    const { pids } = await cell.agent.reportedResources()
    await redWithoutCleanup(/expected the sandbox to return to its baseline/, async () => {
      const answer = JSON.stringify(await cell.agent.isKilled())
      const named = pids.filter(pid => new RegExp(`"suspects":\\[.*"pid":${pid}\\b`).test(answer))
      const { resources } = await rig.snapshot()
      const panes = resources.filter(one => one.kind === 'pane').filter(({ pid }) => named.includes(pid))
      await rig.ignore(`suspect: ${why}`, one => {
        if (one.kind === 'process') return named.includes(one.pid)
        // The session that a suspect runs in, and its terminal, are what its name stands for.
        if (one.kind === 'pty') return panes.some(({ tty }) => tty === one.path)
        return (
          (one.kind === 'pane' || one.kind === 'session') &&
          panes.some(({ serverPid, session }) => serverPid === one.serverPid && session === one.session)
        )
      })
      await expectCleanedUp(cell, 'terminated')
    })
  })
}
