import { applyPlan } from '../retention/apply.ts'
import { planRetention } from '../retention/plan.ts'
import { parsePolicy } from '../retention/policy.ts'
import { exitCodes } from './exit-codes.ts'
import { oneLine } from './format.ts'
import type { RetentionCommandOptions } from './retention.ts'
import { planJson } from './retention-json.ts'
import { dryText, planText, reportText } from './retention-text.ts'
import { stopOnSignals } from './stop-signals.ts'
import { workspacesOf } from './workspace.ts'

/** Plans all workspaces together, since they may share a disk, and with `--apply` does it. Returns the exit code. */
export async function runRetention(folders: string[], options: RetentionCommandOptions): Promise<number> {
  // Whoever reads our list may leave early (head), which ends other commands; it must not end this work.
  process.on('SIGPIPE', () => {})
  const workspaces = workspacesOf(folders)
  const plan = await planRetention(workspaces, parsePolicy(options), {
    ignoreHold: options.ignoreHold === true,
  })
  if (!options.json) print(planText(plan))
  const stop = new AbortController()
  if (options.apply) stopOnSignals(stop)
  const report = options.apply ? await applyPlan(plan, { signal: stop.signal }) : undefined
  const shortage = (report?.floors ?? plan.floors).flatMap(floor => floor.shortage)
  const done = report ? reportText(report) : [dryText(plan)]
  if (options.json) console.log(JSON.stringify(planJson(plan, report), null, 2))
  else print([...plan.notes, ...done, ...shortage])
  const stopped = stop.signal.aborted ? ['Stopped between two files; another run does the rest.'] : []
  const problems = [...plan.problems, ...(report?.problems ?? []), ...stopped]
  for (const problem of problems) console.error(`leakrig: ${oneLine(problem)}`)
  if (problems.length > 0) return exitCodes.uncertain
  return shortage.length > 0 ? exitCodes.left : exitCodes.done
}

function print(lines: readonly string[]): void {
  console.log(lines.map(oneLine).join('\n'))
}
