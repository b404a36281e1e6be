import { inject, test as vitestTest } from 'vitest'
import type { ProbeApi, SystemCommand } from '../probe/api.ts'
import { SandboxPool } from '../sandbox/pool.ts'
import type { Sandbox, SandboxKind, SandboxRights } from '../sandbox/sandbox.ts'
import { startSandbox } from '../sandbox/start.ts'
import { systemCommand } from '../systems/systems.ts'
import type { Verdict } from '../verdict/verdict.ts'
import { type Kept, keep } from './artefacts.ts'
import { Bystanders } from './bystanders.ts'
import './matchers.ts'
import type { Places } from '../probe/places.ts'
import { Rig } from './rig.ts'

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
    'prepareSandbox',
    () =>
      async (_probe: ProbeApi, _places: Places): Promise<void> => {},
  )
  .extend('rig', async ({ sandbox, system, prepareSandbox, task }, { onCleanup }): Promise<Rig> => {
    const { places } = await sandbox.probe.hello()
    await sandbox.probe.reset()
    await prepareSandbox(sandbox.probe, places)
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
/** What the command line hands to the tests; `npm test` runs with the defaults of vitest.config.ts. */
interface RigSettings {
  system: string
  sandbox: SandboxKind
  /** Copy each scenario's workspace out of its sandbox, for a look. */
  keep: boolean
  /** The catalogue is run against a system that cleans nothing up, and every cell has to leak as its table says. */
  withoutCleanup?: boolean
  /** Only for `npm test`: where no sandbox can be started, a scenario is skipped, and says why. */
  mayBeSkipped?: boolean
}
