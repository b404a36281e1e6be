import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { testProgram } from '../../../bin/programs.ts'
import type { AgentRef, CleanUpReport } from '../../index.ts'
import type { Rig } from './rig.ts'

/** How a cleaner in a separate process ended. */
export interface CleanerResult {
  signal: NodeJS.Signals | null
  /** Undefined if it was killed before it wrote one. */
  report: CleanUpReport | undefined
  stderr: string
}

/** The command line of a cleaner that is killed right before step number `dieAt`; 0 lets it finish. */
export function cleanerCommand(ref: AgentRef, report: string, dieAt: number): string[] {
  const preload = dieAt > 0 ? ['--import', testProgram('die-at')] : []
  return [
    ...[
      'env',
      `LEAKRIG_DIE_AT=${dieAt}`,
      'GRACE_MS=300',
      process.execPath,
      ...preload,
      testProgram('cleaner'),
    ],
    ...[ref.workspace, ref.taskId, ref.agentId, report],
  ]
}

/** Runs a cleaner to its end. `prefix` is put before the command line, for example `nsenter ... --`. */
export async function runCleaner(
  rig: Rig,
  ref: AgentRef,
  dieAt = 0,
  prefix: string[] = [],
): Promise<CleanerResult> {
  const file = path.join(rig.folder, `${ref.agentId}-${performance.now()}.report`)
  const [command = '', ...args] = [...prefix, ...cleanerCommand(ref, file, dieAt)]
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => {
    stderr += text
  })
  const [, signal] = await once(child, 'close')
  return {
    signal,
    stderr,
    report: fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined,
  }
}
