import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { testProgram } from '../../../bin/programs.ts'
import type { AgentRef, CleanUpReport } from '../../index.ts'
import type { Rig } from './rig.ts'

/** What became of a cleaner in a process of its own: how it ended, and what it reported if it came that far. */
export interface CleanerEnd {
  signal: NodeJS.Signals | null
  report: CleanUpReport | undefined
  /** What it wrote to its standard error. */
  said: string
}

/** Command words for a cleaner that is killed right before its `dieAt`th step; 0 lets it live. */
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

/** Runs such a cleaner to its end. `before` are words in front of the command (`nsenter ...`). */
export async function runCleaner(
  rig: Rig,
  ref: AgentRef,
  dieAt = 0,
  before: string[] = [],
): Promise<CleanerEnd> {
  const file = path.join(rig.folder, `${ref.agentId}-${performance.now()}.report`)
  const [command = '', ...args] = [...before, ...cleanerCommand(ref, file, dieAt)]
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'pipe'] })
  let said = ''
  child.stderr.on('data', (text: Buffer) => {
    said += text
  })
  const [, signal] = await once(child, 'close')
  return { signal, said, report: fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined }
}
