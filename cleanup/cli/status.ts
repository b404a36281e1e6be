import { type Command, InvalidArgumentError } from 'commander'
import { run } from './exit-codes.ts'

export interface StatusOptions {
  all?: boolean
  json?: boolean
  watch?: boolean
  interval: number
}

/** Adds `leakrig status`: the agents of some workspaces, and what there is of them on the machine. Changes nothing. */
export function addStatus(program: Command): void {
  program
    .command('status')
    .description('show the agents, their sessions, processes and logs, and how far their cleanup is')
    .argument('[workspace...]', 'folders .agent-workspace (the one below the current folder)')
    .option('--all', 'also the agents whose cleanup is done')
    .option('--json', 'as JSON, for programs')
    .option('--watch', 'keep looking: redraw on a terminal (q ends), elsewhere print each change')
    .option('--interval <seconds>', 'how often --watch looks', seconds, 2)
    .addHelpText(
      'after',
      '\nExit codes: 0 all was seen, whatever it was; 2 wrong usage; 3 something could not be read or asked.',
    )
    .action(async (workspaces: string[], options: StatusOptions) => {
      const { runStatus } = await import('./run-status.ts')
      await run(() => runStatus(workspaces, options))
    })
}

function seconds(text: string): number {
  const value = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && value >= 0.1 && value <= 86_400) return value
  throw new InvalidArgumentError('Expected seconds from 0.1 to 86400.')
}
