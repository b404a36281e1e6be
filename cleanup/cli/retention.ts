import type { Command } from 'commander'
import type { PolicyTexts } from '../retention/policy.ts'
import { exitCodes, run } from './exit-codes.ts'
import { print, printJson, printProblem } from './output.ts'
import { stopOnSignals } from './stop-signals.ts'
import { WORKSPACE_ARGUMENT, workspacesOf } from './workspace.ts'

export interface RetentionCommandOptions extends PolicyTexts {
  apply?: boolean
  ignoreHold?: boolean
  json?: boolean
}

export function addRetention(program: Command): Command {
  return program
    .command('retention')
    .description('show which archives are too old, too many or too large, and why; with --apply, remove them')
    .argument('[workspace...]', WORKSPACE_ARGUMENT)
    .option('--apply', 'do it')
    .option('--keep-days <days>', 'remove archives that are older (7)')
    .option('--keep-last <n>', 'always keep the newest n archives of each class')
    .option(
      '--max-bytes <size>',
      'remove the oldest archives until a workspace has no more than this: 500M, 2G',
    )
    .option('--min-free <size>', 'remove the oldest archives until this much of the disk is free: 1G, 5%')
    .option('--ignore-hold', 'remove archives even while a hold (after a mass death) is in force')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nClasses: stream, progress, findings, deploy. Sizes are powers of 1024: 1K is 1 KiB, 1024 bytes.' +
        '\nExit codes: 0 done, or only shown; 1 less is free than --min-free asks for, even if only shown; 2 wrong usage; 3 something could not be read or done (the rest was).',
    )
    .action((workspaces: string[], options: RetentionCommandOptions) =>
      run(() => runRetention(workspaces, options)),
    )
}

/** Plans for all workspaces together, because they may share a disk, and carries the plan out with `apply`. Returns the exit code. */
export async function runRetention(folders: string[], options: RetentionCommandOptions): Promise<number> {
  const { applyPlan } = await import('../retention/apply.ts')
  const { planRetention } = await import('../retention/plan.ts')
  const { parsePolicy } = await import('../retention/policy.ts')
  const { planJson } = await import('./retention-json.ts')
  const { dryText, planText, reportText } = await import('./retention-text.ts')
  // Other commands end when their reader leaves early (head). This one must finish.
  process.on('SIGPIPE', () => {})
  // Before the workspaces, so that wrong usage is reported as such wherever the command runs.
  const policy = parsePolicy(options)
  const workspaces = workspacesOf(folders)
  const plan = await planRetention(workspaces, policy, { ignoreHold: options.ignoreHold === true })
  if (!options.json) print(planText(plan))
  const stop = new AbortController()
  if (options.apply) stopOnSignals(stop)
  const report = options.apply ? await applyPlan(plan, { signal: stop.signal }) : undefined
  const shortage = (report?.floors ?? plan.floors).flatMap(floor => floor.shortage)
  const done = report ? reportText(report) : [dryText(plan)]
  if (options.json) printJson(planJson(plan, report))
  else print([...plan.notes, ...done, ...shortage])
  const stopped = stop.signal.aborted ? ['Stopped between two files; another run does the rest.'] : []
  const problems = [...plan.problems, ...(report?.problems ?? []), ...stopped]
  problems.forEach(printProblem)
  if (problems.length > 0) return exitCodes.uncertain
  return shortage.length > 0 ? exitCodes.left : exitCodes.done
}
