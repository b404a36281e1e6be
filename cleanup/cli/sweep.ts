import os from 'node:os'
import { type Command, Option } from 'commander'
import type { Sweep } from '../sweep/sweep.ts'
import { exitCodes, run } from './exit-codes.ts'
import { duration, grace, notEmpty } from './option-values.ts'
import { print, printJson, printProblem } from './output.ts'
import { addSocketOptions, type SocketOptions, useSockets } from './socket-options.ts'
import { WORKSPACE_ARGUMENT, workspacesOf } from './workspace.ts'

export interface SweepCommandOptions extends SocketOptions {
  apply?: boolean
  orphans?: boolean
  session?: string[]
  json?: boolean
  /** Durations in ms. */
  minAge: number
  grace?: number
}

export function addSweep(program: Command): Command {
  const sweep = program
    .command('sweep')
    .description('show what agents have left behind and what a cleanup would do; --apply does exactly that')
    .argument('[workspace...]', WORKSPACE_ARGUMENT)
    .option('--apply', 'do it')
    .option(
      '--orphans',
      'include what no task lists: sessions agent_*, processes with the marker of an agent, prompts, and entries of the global registry; without it they are only shown',
    )
    .option(
      '--session <name>',
      'also remove this session agent_* that no task lists, even if somebody is attached to it (its exact name, or SOCKET:NAME); repeatable',
      (name: string, before: string[] = []) => [...before, notEmpty(name)],
    )
    .addOption(
      new Option(
        '--min-age <duration>',
        'leave alone what is younger, because it may still be being deployed',
      )
        .argParser(duration)
        .default(60_000, '1m'),
    )
    .option(
      '--grace <duration>',
      'how long processes get between the first TERM and KILL (3s, or 7s for a claude with hooks)',
      grace,
    )
  return addSocketOptions(sweep)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing is left, or only unlisted things are left, or nothing was applied; 1 something is left, or an entry was refused; 2 wrong usage; 3 something could not be read or queried (the rest was done); 130 or 143 stopped by Ctrl-C or TERM: another sweep finishes the work.',
    )
    .action((workspaces: string[], options: SweepCommandOptions) => run(() => runSweep(workspaces, options)))
}

/** Sweeps one workspace after the other. Returns the exit code. */
export async function runSweep(folders: string[], options: SweepCommandOptions): Promise<number> {
  const { isLeft, isUncertain, sweep } = await import('../sweep/sweep.ts')
  const { sessionsByWorkspace } = await import('../sweep/named-sessions.ts')
  const { progressTo } = await import('./progress.ts')
  const { stopOnSignals } = await import('./stop-signals.ts')
  const { sweepText } = await import('./sweep-text.ts')
  const {
    apply = false,
    orphans = false,
    session: names = [],
    json,
    minAge: minAgeMs,
    grace: graceMs,
  } = options
  // Every path is checked before the first sweep: one typing error, and nothing is done.
  const workspaces = workspacesOf(folders)
  await useSockets(options)
  const stop = new AbortController()
  if (apply) {
    stopOnSignals(stop)
    // Other commands end when their reader leaves early (head). This one must finish.
    process.on('SIGPIPE', () => {})
  }
  const { signal } = stop
  const progress = progressTo(process.stderr)
  const sweeps: Sweep[] = []
  const sessionsOf = await sessionsByWorkspace(names, workspaces, minAgeMs)
  for (const workspace of workspaces) {
    const sessions = sessionsOf.get(workspace) ?? []
    const beside = workspaces.filter(other => other !== workspace)
    sweeps.push(
      await sweep(workspace, { apply, orphans, sessions, graceMs, minAgeMs, beside, signal, progress }),
    )
    if (signal.aborted) break
  }
  const exitCode = signal.aborted
    ? 128 + os.constants.signals[signal.reason as 'SIGINT' | 'SIGTERM']
    : sweeps.some(isUncertain)
      ? exitCodes.uncertain
      : sweeps.some(isLeft)
        ? exitCodes.left
        : exitCodes.done
  if (json) printJson({ exitCode, sweeps })
  else
    print(
      sweeps.flatMap(found =>
        sweepText(found, { orphans, names: sessionsOf.get(found.workspace) ?? [], graceMs }),
      ),
    )
  if (signal.aborted) leave(exitCode)
  return exitCode
}

/** Ends the work that is still running. Nothing is lost: each cleanup wrote its intent before it ended or moved anything. */
function leave(exitCode: number): never {
  printProblem(
    'Stopped. The registries record every cleanup that was begun; another sweep --apply finishes it.',
  )
  process.exit(exitCode)
}
