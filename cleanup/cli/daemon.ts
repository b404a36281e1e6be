import { type Command, InvalidArgumentError, Option } from 'commander'
import { COMPRESSIONS, type PolicyTexts } from '../retention/policy.ts'

export interface DaemonCommandOptions extends PolicyTexts {
  graceMs?: number
  silentAfter?: number
  endIdle?: boolean
  ownerPid?: number
}

export function addDaemon(program: Command): void {
  program
    .command('daemon')
    .description('watch workspaces, and clean up after every agent that ends')
    .argument('[workspace...]', 'folders .agent-workspace (the one below the current folder)')
    .option('--grace-ms <ms>', 'how long an agent’s processes get to end by themselves (3000)', wholeNumber)
    .option('--silent-after <s>', 'how long an agent may say nothing before that is told (120)', wholeNumber)
    .option('--end-idle', 'end silent agents whose work is done')
    .option(
      '--keep-days <days>',
      'remove archives that are older (7), all or per class: stream=3,findings=30',
    )
    .option('--keep-last <n>', 'the newest n archives of a class always stay')
    .option('--max-bytes <size>', 'remove the oldest archives until a workspace has no more: 500M, 2G')
    .option('--min-free <size>', 'remove the oldest archives until so much of the disk is free: 1G, 5%')
    .addOption(new Option('--compress <how>', 'compress the archives that stay (none)').choices(COMPRESSIONS))
    .option('--owner-pid <pid>', 'end by itself when this process and all agents are gone', wholeNumber)
    .addHelpText(
      'after',
      '\nPrints a JSON object a line. SIGTERM or SIGINT stops it within a second; what is not done then goes on with the next one.' +
        '\nExit codes: 0 stopped, 1 unforeseen, 2 wrong usage, 3 another daemon is there or it could not begin.',
    )
    .action(async (workspaces: string[], options: DaemonCommandOptions) => {
      const { serveDaemon } = await import('./serve-daemon.ts')
      await serveDaemon(workspaces, options)
    })
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number.')
}
