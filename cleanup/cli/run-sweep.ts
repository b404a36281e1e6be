import os from 'node:os'
import { GRACE_MS } from '../cleaning/clean-up.ts'
import { isLeft, isUncertain, type Sweep, sweep } from '../sweep/sweep.ts'
import { exitCodes } from './exit-codes.ts'
import type { SweepCommandOptions } from './sweep.ts'
import { sweepText } from './sweep-text.ts'
import { workspacesOf } from './workspace.ts'

/** Sweeps one workspace after the other. Returns the exit code. */
export async function runSweep(folders: string[], options: SweepCommandOptions): Promise<number> {
  const { apply = false, orphans = false, json, minAge, grace } = options
  // All of them first: with one that is mistyped, nothing is done.
  const workspaces = workspacesOf(folders)
  const graceMs = grace === undefined ? GRACE_MS : grace * 1000
  if (apply) for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => leave(name))
  const sweeps: Sweep[] = []
  for (const workspace of new Set(workspaces)) {
    const beside = workspaces.filter(other => other !== workspace)
    sweeps.push(await sweep(workspace, { apply, orphans, graceMs, minAgeMs: minAge * 1000, beside }))
  }
  const exitCode = exitCodeOf(sweeps)
  if (json) console.log(JSON.stringify({ exitCode, sweeps }, null, 2))
  else console.log(sweeps.flatMap(found => sweepText(found, orphans, graceMs)).join('\n'))
  return exitCode
}

/** Nothing is lost: each cleanup wrote its intent before it ended or moved anything. */
function leave(signal: 'SIGINT' | 'SIGTERM'): never {
  console.error(
    'leakrig: Stopped. What was begun is noted in the registries; another sweep --apply finishes it.',
  )
  process.exit(128 + os.constants.signals[signal])
}

function exitCodeOf(sweeps: readonly Sweep[]): number {
  if (sweeps.some(isUncertain)) return exitCodes.uncertain
  return sweeps.some(isLeft) ? exitCodes.left : exitCodes.done
}
