import { measure } from '../metrics/measure.ts'
import type { Measurement } from '../metrics/measurement.ts'
import { exitCodes } from './exit-codes.ts'
import type { StatusOptions } from './status.ts'
import { statusLines } from './status-text.ts'
import { watch } from './watch-status.ts'
import { workspacesOf } from './workspace.ts'

/** Shows how some workspaces are, once or until it is ended. Returns the exit code. */
export async function runStatus(folders: string[], options: StatusOptions): Promise<number> {
  const { all = false, json = false, interval } = options
  const workspaces = workspacesOf(folders)
  if (options.watch) return exitCode(await watch(workspaces, { all, json, intervalMs: interval * 1000 }))
  const found = await measure(workspaces)
  console.log(json ? JSON.stringify(found, null, 2) : statusLines(found, all).join('\n'))
  return exitCode(found)
}

const exitCode = (found: Measurement | undefined): number =>
  found?.problems.length === 0 ? exitCodes.done : exitCodes.uncertain
