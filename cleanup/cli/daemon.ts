import { type Command, InvalidArgumentError } from 'commander'
import { addDaemonOptions, type DaemonSettings } from './daemon-options.ts'

export interface DaemonCommandOptions extends DaemonSettings {
  ownerPid?: number
}

export function addDaemon(program: Command): void {
  const daemon = program
    .command('daemon')
    .description('watch workspaces, and clean up after every agent that ends')
    .argument('[workspace...]', 'folders .agent-workspace (the one below the current folder)')
  addDaemonOptions(daemon)
    .option(
      '--owner-pid <pid>',
      'end by itself when this process and all agents are gone; for one folder only',
      pid,
    )
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

function pid(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected the number of a process, from 1.')
}
