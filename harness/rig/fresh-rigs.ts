import { inject } from 'vitest'
import { startSandbox } from '../sandbox/start.ts'
import { keep } from './artefacts.ts'
import { test } from './fixtures.ts'
import { Rig } from './rig.ts'

/**
 * `test` for many short runs in a row: `freshRig` empties a sandbox that is this test's alone, and starts the
 * system in it anew. What is left of the last run is brought out when the test fails.
 */
export const testRuns = test.extend(
  'freshRig',
  async ({ system, task }, { onCleanup }): Promise<() => Promise<Rig>> => {
    const sandbox = await startSandbox(inject('leakrig').sandbox)
    let rig: Rig | undefined
    onCleanup(async () => {
      if (rig && task.result?.state === 'fail') console.log('For a look:', await keep(rig, task.fullTestName))
      await sandbox[Symbol.asyncDispose]()
    })
    const { places } = await sandbox.probe.hello()
    return async () => {
      await sandbox.probe.reset()
      rig = new Rig(sandbox.probe, places)
      await rig.start(system(places))
      return rig
    }
  },
)
