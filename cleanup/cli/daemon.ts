import path from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import type { LogLine } from '../cleaning/report.ts'
import { levelOf } from '../daemon/levels.ts'
import { startLean } from '../daemon/start-lean.ts'
import { CleanupError, words } from '../errors.ts'
import { startOf } from '../processes/table.ts'

interface Options {
  graceMs?: number
  ownerPid?: number
}

/** 0 stopped or nothing left to do, 1 unforeseen, 2 wrong usage, 3 another daemon is there or it could not begin. */
const exitCodes = { done: 0, unforeseen: 1, wrongUsage: 2, cannotBegin: 3 } as const

/** Adds `leakrig daemon`: the safety net, until it is told to stop. */
export function addDaemonCommand(program: Command): void {
  program
    .command('daemon')
    .description('watch workspaces, and clean up after every agent that ends')
    .argument('[workspace...]', 'folders named .agent-workspace (default: the one here)')
    .option('--grace-ms <ms>', 'how long an agent’s processes get to end by themselves (3000)', wholeNumber)
    .option('--owner-pid <pid>', 'end by itself when this process and all agents are gone', wholeNumber)
    .addHelpText(
      'after',
      '\nPrints a JSON object a line. SIGTERM or SIGINT stops it within a second.' +
        '\nExit codes: 0 stopped, 1 unforeseen, 2 wrong usage, 3 another daemon is there or it could not begin.',
    )
    .action(async (workspaces: string[], options: Options) => {
      await run(workspaces, options).catch(refused)
      // What is still at work (a tmux that does not answer) is pending on disk, and must not hold up the stop.
      process.exit(exitCodes.done)
    })
}

async function run(workspaces: string[], { graceMs, ownerPid }: Options): Promise<void> {
  // Whoever read our log may be gone, or its disk full; that must not end the work.
  process.stdout.on('error', () => {})
  const stop = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => stop.abort())
  const load = () => import('../daemon/run-daemon.ts')
  await startLean(load)
  const { runDaemon } = await load()
  const roots = workspaces.length > 0 ? workspaces : ['.agent-workspace']
  await runDaemon({
    workspaces: roots.map(root => path.resolve(root)),
    log,
    signal: stop.signal,
    ...(graceMs !== undefined && { graceMs }),
    // An owner that has gone already has no start: it counts as gone.
    ...(ownerPid !== undefined && { owner: { pid: ownerPid, start: startOf(ownerPid) ?? -1 } }),
  })
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number.')
}

function log(line: LogLine): void {
  const stamped = { time: new Date().toISOString(), level: levelOf(line.event), ...line }
  process.stdout.write(`${JSON.stringify(stamped)}\n`)
}

function refused(error: unknown): never {
  process.stderr.write(`leakrig: ${words(error)}\n`)
  if (!(error instanceof CleanupError)) process.exit(exitCodes.unforeseen)
  const isUsage = error.code === 'bad-argument' || error.code === 'no-workspace'
  process.exit(isUsage ? exitCodes.wrongUsage : exitCodes.cannotBegin)
}
