import { type Command, Option } from 'commander'
import { CleanupError, words } from '../errors.ts'
import { COMPRESSIONS, type PolicyTexts } from '../retention/policy.ts'

interface Options extends PolicyTexts {
  apply?: true
  json?: true
  ignoreHold?: true
}

/** 0 done or nothing to do, 1 less is free than wanted, 2 wrong usage, 3 something could not be read or done. */
const exitCodes = { done: 0, short: 1, wrongUsage: 2, problems: 3 } as const
const PER_CLASS = 'for all classes, or per class as in stream=3,findings=30'

/** Adds `leakrig retention`: what of the archives goes and what stays; with `--apply` it goes. */
export function addRetentionCommand(program: Command): void {
  program
    .command('retention')
    .description('show which archives are too old, too many or too large, and why; --apply removes them')
    .argument('[workspace...]', 'folders named .agent-workspace (default: the one here)')
    .option('--apply', 'do it; without it nothing is changed')
    .option('--keep-days <days>', `remove what is older, 7 by default; ${PER_CLASS}`)
    .option('--keep-last <n>', `the newest n of a class always stay; ${PER_CLASS}`)
    .option('--max-bytes <size>', 'remove the oldest until a workspace has less: 500M, 2G, stream=1G')
    .option('--min-free <size>', 'remove the oldest until so much of the disk is free: 1G, 5%')
    .addOption(
      new Option('--compress <how>', 'compress the archives that stay (default: none)').choices(COMPRESSIONS),
    )
    .option('--ignore-hold', 'purge also while a hold (after a mass death) is in force')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nClasses: stream, progress, findings, deploy. registry/retention.json in a workspace may hold the same options.' +
        '\nExit codes: 0 done, 1 less is free than wanted, 2 wrong usage, 3 something could not be read or done.',
    )
    .action(async (workspaces: string[], options: Options) => {
      process.exitCode = await run(workspaces, options).catch(refused)
    })
}

async function run(workspaces: string[], options: Options): Promise<number> {
  // Whoever reads our list may leave early (head); that must not end the work.
  process.stdout.on('error', () => {})
  const { planRetention } = await import('../retention/plan.ts')
  const { applyPlan } = await import('../retention/apply.ts')
  const { policyOf } = await import('../retention/policy-file.ts')
  const { planText, printable, reportText } = await import('../retention/plan-text.ts')
  const { planJson } = await import('../retention/plan-json.ts')
  const roots = workspaces.length > 0 ? workspaces : ['.agent-workspace']
  const plan = await planRetention(roots, workspace => policyOf(workspace, options), {
    ignoreHold: options.ignoreHold === true,
  })
  const print = (lines: string[]) => process.stdout.write(`${lines.map(printable).join('\n')}\n`)
  if (!options.json) print(planText(plan))
  const report = options.apply ? await applyPlan(plan) : undefined
  const floors = report?.floors ?? plan.floors
  const problems = [...plan.problems, ...(report?.problems ?? [])]
  const shortage = floors.flatMap(floor => floor.shortage)
  if (options.json) process.stdout.write(`${JSON.stringify(planJson(plan, report), null, 2)}\n`)
  else
    print([
      ...plan.notes,
      ...(report ? reportText(report) : ['Nothing was changed; --apply does it.']),
      ...shortage,
    ])
  for (const problem of problems) process.stderr.write(`leakrig: ${printable(problem)}\n`)
  if (problems.length > 0) return exitCodes.problems
  return shortage.length > 0 ? exitCodes.short : exitCodes.done
}

function refused(error: unknown): number {
  if (!(error instanceof CleanupError)) throw error
  process.stderr.write(`leakrig: ${words(error)}\n`)
  return error.code === 'bad-argument' || error.code === 'no-workspace'
    ? exitCodes.wrongUsage
    : exitCodes.problems
}
