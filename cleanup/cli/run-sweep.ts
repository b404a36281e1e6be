import os from 'node:os'
import { GRACE_MS } from '../reaper/clean-up.ts'
import { isLeft, isUncertain, type Sweep, sweep } from '../sweep/sweep.ts'
import { exitCodes } from './exit-codes.ts'
import { progressTo } from './progress.ts'
import { stopOnSignals } from './stop-signals.ts'
import type { SweepCommandOptions } from './sweep.ts'
import { sweepText } from './sweep-text.ts'
import { workspacesOf } from './workspace.ts'

/** Sweeps one workspace after the other. Returns the exit code. */
export async function runSweep(folders: string[], options: SweepCommandOptions): Promise<number> {
  const { apply = false, orphans = false, json, minAge, grace } = options
  // All of them first: with one that is mistyped, nothing is done.
  const workspaces = workspacesOf(folders)
  const graceMs = grace === undefined ? GRACE_MS : grace * 1000
  const stop = new AbortController()
  if (apply) {
    stopOnSignals(stop)
    // Whoever reads what it prints may leave early (head), which ends other commands; it must not end this work.
    process.on('SIGPIPE', () => {})
  }
  const { signal } = stop
  const progress = progressTo(process.stderr)
  const sweeps: Sweep[] = []
  for (const workspace of new Set(workspaces)) {
    const beside = workspaces.filter(other => other !== workspace)
    const times = { graceMs, minAgeMs: minAge * 1000 }
    sweeps.push(await sweep(workspace, { apply, orphans, ...times, beside, signal, progress }))
    if (signal.aborted) break
  }
  const exitCode = exitCodeOf(sweeps, signal)
  if (json) console.log(JSON.stringify({ exitCode, sweeps }, null, 2))
  else console.log(sweeps.flatMap(found => sweepText(found, orphans, graceMs)).join('\n'))
  if (signal.aborted) leave(exitCode)
  return exitCode
}

/** Nothing is lost: each cleanup wrote its intent before it ended or moved anything. What is still at hand must not go on. */
function leave(exitCode: number): never {
  console.error(
    'leakrig: Stopped. What was begun is noted in the registries; another sweep --apply finishes it.',
  )
  process.exit(exitCode)
}

function exitCodeOf(sweeps: readonly Sweep[], { aborted, reason }: AbortSignal): number {
  if (aborted) return 128 + os.constants.signals[reason as 'SIGINT' | 'SIGTERM']
  if (sweeps.some(isUncertain)) return exitCodes.uncertain
  return sweeps.some(isLeft) ? exitCodes.left : exitCodes.done
}
