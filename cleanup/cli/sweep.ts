import { type Command, InvalidArgumentError } from 'commander'
import { run } from './exit-codes.ts'

export interface SweepCommandOptions {
  apply?: boolean
  orphans?: boolean
  json?: boolean
  minAge: number
  grace?: number
}

export function addSweep(program: Command): void {
  program
    .command('sweep')
    .description(
      'show what agents have left behind and what a cleanup would do; with --apply, do exactly that',
    )
    .argument('[workspace...]', 'folders .agent-workspace (the one below the current folder)')
    .option('--apply', 'do it')
    .option(
      '--orphans',
      'also what no registry knows: sessions agent_*, and prompts; otherwise they are only shown',
    )
    .option(
      '--min-age <seconds>',
      'what is younger may still be being deployed, and is no orphan',
      seconds,
      60,
    )
    .option('--grace <seconds>', 'how long processes get from the first TERM to the KILL (3)', seconds)
    .option('--json', 'as JSON, for programs')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing is left, or only shown; 1 something is left, or an entry was refused; 2 wrong usage; 3 something could not be read or asked (the rest was done); 130 stopped: another sweep finishes it.',
    )
    .action(async (workspaces: string[], options: SweepCommandOptions) => {
      const { runSweep } = await import('./run-sweep.ts')
      await run(() => runSweep(workspaces, options))
    })
}

function seconds(text: string): number {
  if (/^\d{1,7}(\.\d+)?$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a number of seconds.')
}
