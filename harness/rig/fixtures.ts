import { inject, test as vitestTest } from 'vitest'
import type { Places, ProbeApi, SystemCommand } from '../probe/api.ts'
import { SandboxPool } from '../sandbox/pool.ts'
import type { Sandbox, SandboxRights } from '../sandbox/sandbox.ts'
import { startSandbox } from '../sandbox/start.ts'
import { systemCommand } from '../systems/systems.ts'
import type { Verdict } from '../verdict/verdict.ts'
import { type Kept, keep } from './artefacts.ts'
import { Bystanders } from './bystanders.ts'
import './matchers.ts'
import { Rig } from './rig.ts'
import type { RigSettings } from './settings.ts'

declare module 'vitest' {
  interface ProvidedContext {
    leakrig: RigSettings
  }
  interface TaskMeta {
    leakrig?: RigRecord
  }
}

/** What a test leaves for the report. Every failed scenario is brought out, and all of them with `--keep`. */
interface RigRecord extends Kept {
  /** The system that was really started. */
  system: string
  verdicts: Verdict[]
  /** Expectations beside the baseline that were not met, in sentences. */
  unmet: string[]
}

/** Vitest's `test` with a rig: a sandbox that is this test's alone while it runs, and in it a fresh system. */
export const test = vitestTest
  // A file whose faults are disks of their own asks for more.
  .extend('rights', { scope: 'file' }, (): SandboxRights => ({}))
  .extend('sandboxes', { scope: 'file' }, ({ rights }, { onCleanup }): SandboxPool => {
    const pool = new SandboxPool(() => startSandbox(inject('leakrig').sandbox, rights))
    onCleanup(() => pool[Symbol.asyncDispose]())
    return pool
  })
  .extend('sandbox', async ({ sandboxes }, { onCleanup }): Promise<Sandbox> => {
    const sandbox = await sandboxes.take()
    onCleanup(() => sandboxes.giveBack(sandbox))
    return sandbox
  })
  // How the system under test is started. A test may put another in its place.
  .extend(
    'system',
    () =>
      (places: Places): SystemCommand =>
        systemCommand(inject('leakrig').system, places),
  )
  // What is there before the system is started: a disk of another size, a program in front of another.
  .extend(
    'ground',
    () =>
      async (_probe: ProbeApi, _places: Places): Promise<void> => {},
  )
  .extend('rig', async ({ sandbox, system, ground, task }, { onCleanup }): Promise<Rig> => {
    const { places } = await sandbox.probe.hello()
    await sandbox.probe.reset()
    await ground(sandbox.probe, places)
    const rig = new Rig(sandbox.probe, places)
    const record: RigRecord = {
      system: inject('leakrig').system,
      verdicts: rig.verdicts,
      unmet: rig.unmet,
    }
    task.meta.leakrig = record
    onCleanup(async () => {
      const wanted = inject('leakrig').keep || task.result?.state === 'fail'
      if (wanted) Object.assign(record, await keep(rig, task.fullTestName))
    })
    await rig.start(system(places))
    return rig
  })
  .extend('bystanders', ({ rig }) => new Bystanders(rig))
