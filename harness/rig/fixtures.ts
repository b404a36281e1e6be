import { test as vitestTest } from 'vitest'
import type { ProbeApi } from '../probe/api.ts'
import { SandboxPool } from '../sandbox/pool.ts'
import type { Sandbox, SandboxRights } from '../sandbox/sandbox.ts'
import type { Timeline } from '../timeline/timeline.ts'
import type { Verdict } from '../verdict/verdict.ts'
import { type Kept, keep } from './artefacts.ts'
import { Bystanders } from './bystanders.ts'
import { chosenSystem, startChosen } from './chosen-system.ts'
import { Hold } from './hold.ts'
import './matchers.ts'
import { type SandboxFolders, withProject } from '../probe/places.ts'
import { Rig } from './rig.ts'
import { sendProgress } from './send-progress.ts'
import { settings } from './settings.ts'

declare module 'vitest' {
  interface TaskMeta {
    leakrig?: RigRecord
  }
}

/** What a test records for the report. The files of a failed scenario are copied, and with `--keep` those of all. */
interface RigRecord extends Kept {
  /** The system that was started. */
  system: string
  /** The engine on which it was measured, where there are several. */
  engine?: string
  /** Those that stopped before while it was measured on them. */
  lostEngines?: string[]
  verdicts: Verdict[]
  /** What happened, until the scenario ended. */
  timeline?: Timeline
  /** Expectations beside the baseline that were not met, in sentences. */
  unmet: string[]
  /** What was expected and not checked, because the system does not declare it. */
  leftOut: string[]
}

/** Vitest's `test` with a rig: a sandbox that no other test uses meanwhile, and a fresh system in it. */
export const test = vitestTest
  // Files with faults that need a mount override this.
  .extend('rights', { scope: 'file' }, (): SandboxRights => ({}))
  .extend('sandboxes', { scope: 'file' }, ({ rights }, { onCleanup }): SandboxPool => {
    const pool = new SandboxPool(() => startChosen(rights))
    onCleanup(() => pool[Symbol.asyncDispose]())
    return pool
  })
  .extend('sandbox', async ({ sandboxes }, { onCleanup }): Promise<Sandbox> => {
    const sandbox = await sandboxes.take()
    onCleanup(() => sandboxes.giveBack(sandbox))
    return sandbox
  })
  // The system under test. A test may replace it.
  .extend('system', () => chosenSystem())
  // Prepares the sandbox before the system starts: a disk of another size, a program on the PATH before another.
  .extend(
    'prepareSandbox',
    () =>
      async (_probe: ProbeApi, _places: SandboxFolders): Promise<void> => {},
  )
  // The name of the project's folder. Whoever chooses another one makes it in `prepareSandbox`.
  .extend('project', () => 'work')
  .extend('rig', async ({ sandbox, system, prepareSandbox, project, task }, { onCleanup }): Promise<Rig> => {
    const places = withProject((await sandbox.probe.hello()).places, project)
    await sandbox.probe.reset(system.layout)
    await prepareSandbox(sandbox.probe, places)
    const rig = new Rig(sandbox.probe, places, system)
    const { leakrig: before } = task.meta
    // Only another engine's end has a test run again (engine-lost.ts).
    const lostEngines = before?.engine ? [...(before.lostEngines ?? []), before.engine] : []
    const record: RigRecord = {
      system: system.name,
      ...(sandbox.engine !== undefined && { engine: sandbox.engine }),
      ...(lostEngines.length > 0 && { lostEngines }),
      leftOut: [],
      verdicts: rig.verdicts,
      unmet: rig.unmet,
    }
    task.meta.leakrig = record
    const progress = settings().live ? sendProgress(task, rig.timeline) : undefined
    let hold: Hold | undefined
    let hasStarted = false
    onCleanup(async () => {
      progress?.[Symbol.dispose]()
      const failure = rig.verdicts.length === 0 ? task.result?.errors?.[0]?.message : undefined
      if (hasStarted) await hold?.untilReleased(failure)
      await rig.noteSignals()
      record.leftOut = [...rig.leftOut]
      record.timeline = rig.timeline.timeline
      const wanted = settings().keep || task.result?.state === 'fail'
      if (wanted && !hold) Object.assign(record, await keep(rig, task.fullTestName))
      await hold?.[Symbol.asyncDispose]()
    })
    hold = await Hold.begin(rig, sandbox)
    await rig.start()
    hasStarted = true
    return rig
  })
  .extend('bystanders', ({ rig }) => new Bystanders(rig))
