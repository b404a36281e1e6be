import { type Command, Option } from 'commander'
import { CleanupError } from '../errors.ts'
import { ownCommand } from '../programs.ts'
import { exitCodes, run } from './exit-codes.ts'
import { print, printJson } from './output.ts'
import { addSocketOptions, type SocketOptions, useSockets } from './socket-options.ts'
import { WORKSPACE_ARGUMENT, workspacesOf } from './workspace.ts'

export interface StatusOptions extends SocketOptions {
  all?: boolean
  json?: boolean
  /** Options of earlier versions. */
  watch?: boolean
  interval?: string
}

/** In the folder of a clone, where nothing puts `leakrig` on the PATH. */
const WATCH = `watch -n 2 '${ownCommand.replace('run', 'run -s')} status DIR'`

/** Adds `leakrig status`, which shows agents, sessions, processes and files, and changes nothing. */
export function addStatus(program: Command): Command {
  const status = program
    .command('status')
    .description('show the agents, their sessions, processes and logs, and how far their cleanup is')
    .argument('[workspace...]', WORKSPACE_ARGUMENT)
    .option('--all', 'include agents whose cleanup is done')
  return addSocketOptions(status)
    .option('--json', 'print JSON')
    .addOption(new Option('--watch').hideHelp())
    .addOption(new Option('--interval <seconds>').hideHelp())
    .addHelpText(
      'after',
      `\nTo keep watching: ${WATCH}` +
        '\nExit codes: 0 everything could be read; 2 wrong usage; 3 something could not be read or queried.',
    )
    .action((workspaces: string[], options: StatusOptions) => run(() => runStatus(workspaces, options)))
}

/** Prints the state of some workspaces. Returns the exit code. */
export async function runStatus(folders: string[], options: StatusOptions): Promise<number> {
  const { all = false, json = false, watch, interval } = options
  const removed = watch
    ? 'The option --watch was removed'
    : interval !== undefined && 'The option --interval was removed together with --watch'
  if (removed) throw new CleanupError('bad-argument', `${removed}; use this instead: ${WATCH}`)
  const { measure } = await import('../metrics/measure.ts')
  const { statusLines } = await import('./status-text.ts')
  const workspaces = workspacesOf(folders)
  await useSockets(options)
  const found = await measure(workspaces)
  if (json) printJson(found)
  else print(statusLines(found, all))
  return found.problems.length === 0 ? exitCodes.done : exitCodes.uncertain
}
