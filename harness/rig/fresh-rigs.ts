import { print } from '../terminal.ts'
import { keep } from './artefacts.ts'
import { startChosen } from './chosen-system.ts'
import { test } from './fixtures.ts'
import { Rig } from './rig.ts'

/**
 * `test` for many short runs in a row: `freshRig` empties a sandbox that only this test uses, and starts the system in it
 * again. When the test fails, the files of the last run are copied out.
 */
export const testRuns = test.extend(
  'freshRig',
  async ({ system, task }, { onCleanup }): Promise<() => Promise<Rig>> => {
    const sandbox = await startChosen()
    let rig: Rig | undefined
    onCleanup(async () => {
      if (rig && task.result?.state === 'fail')
        print(`Files of the last run: ${await keep(rig, task.fullTestName)}`)
      await sandbox[Symbol.asyncDispose]()
    })
    const { places } = await sandbox.probe.hello()
    return async () => {
      await sandbox.probe.reset(system.layout)
      rig = new Rig(sandbox.probe, places, system)
      await rig.start()
      return rig
    }
  },
)
