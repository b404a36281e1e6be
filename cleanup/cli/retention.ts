import { type Command, Option } from 'commander'
import { COMPRESSIONS, type PolicyTexts } from '../retention/policy.ts'
import { run } from './exit-codes.ts'

export interface RetentionCommandOptions extends PolicyTexts {
  apply?: boolean
  ignoreHold?: boolean
  json?: boolean
}

const PER_CLASS = 'for all classes, or per class as in stream=3,findings=30'

export function addRetention(program: Command): void {
  program
    .command('retention')
    .description('show which archives are too old, too many or too large, and why; with --apply, remove them')
    .argument('[workspace...]', 'folders .agent-workspace (the one below the current folder)')
    .option('--apply', 'do it')
    .option('--keep-days <days>', `remove what is older, 7 by default; ${PER_CLASS}`)
    .option('--keep-last <n>', `the newest n of a class always stay; ${PER_CLASS}`)
    .option('--max-bytes <size>', 'remove the oldest until a workspace has no more: 500M, 2G, stream=1G')
    .option('--min-free <size>', 'remove the oldest until so much of the disk is free: 1G, 5%')
    .addOption(new Option('--compress <how>', 'compress the archives that stay (none)').choices(COMPRESSIONS))
    .option('--ignore-hold', 'purge also while a hold (after a mass death) is in force')
    .option('--json', 'as JSON, for programs')
    .addHelpText(
      'after',
      '\nClasses: stream, progress, findings, deploy. registry/retention.json in a workspace may hold the same options.' +
        '\nExit codes: 0 done, or only shown; 1 less is free than wanted; 2 wrong usage; 3 something could not be read or done (the rest was).',
    )
    .action(async (workspaces: string[], options: RetentionCommandOptions) => {
      const { runRetention } = await import('./run-retention.ts')
      await run(() => runRetention(workspaces, options))
    })
}
