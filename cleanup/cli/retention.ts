import type { Command } from 'commander'
import type { PolicyTexts } from '../retention/policy.ts'
import { run } from './exit-codes.ts'

export interface RetentionCommandOptions extends PolicyTexts {
  apply?: boolean
  ignoreHold?: boolean
  json?: boolean
}

export function addRetention(program: Command): void {
  program
    .command('retention')
    .description('show which archives are too old, too many or too large, and why; with --apply, remove them')
    .argument('[workspace...]', 'folders .agent-workspace (the one below the current folder)')
    .option('--apply', 'do it')
    .option('--keep-days <days>', 'remove archives that are older (7)')
    .option('--keep-last <n>', 'always keep the newest n archives of each class')
    .option(
      '--max-bytes <size>',
      'remove the oldest archives until a workspace has no more than this: 500M, 2G',
    )
    .option('--min-free <size>', 'remove the oldest archives until this much of the disk is free: 1G, 5%')
    .option('--ignore-hold', 'remove archives even while a hold (after a mass death) is in force')
    .option('--json', 'as JSON, for programs')
    .addHelpText(
      'after',
      '\nClasses: stream, progress, findings, deploy. Sizes are powers of 1024: 1K is 1 KiB, 1024 bytes.' +
        '\nExit codes: 0 done, or only shown; 1 less is free than wanted; 2 wrong usage; 3 something could not be read or done (the rest was).',
    )
    .action(async (workspaces: string[], options: RetentionCommandOptions) => {
      const { runRetention } = await import('./run-retention.ts')
      await run(() => runRetention(workspaces, options))
    })
}
