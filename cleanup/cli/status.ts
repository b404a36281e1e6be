import path from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import type { Measurement } from '../metrics/measurement.ts'

interface Options {
  all?: boolean
  json?: boolean
  watch?: boolean
  interval: number
}

/** 0 all was seen (whatever it was), 3 something could not be read or asked. 2, wrong usage, is commander's. */
const exitCodes = { seen: 0, unknown: 3 } as const

/** Adds `leakrig status`: the agents of some workspaces, and what there is of them on the machine. Changes nothing. */
export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('show the agents, their sessions, processes and logs, and how far their cleanup is')
    .argument('[workspace...]', 'folders named .agent-workspace (default: the one here)')
    .option('--all', 'show the agents whose cleanup is done, too')
    .option('--json', 'print JSON')
    .option('--watch', 'keep looking: redraw on a terminal (q ends), elsewhere print each change')
    .option('--interval <seconds>', 'how often --watch looks', seconds, 2)
    .addHelpText(
      'after',
      '\nExit codes: 0 all was seen, 2 wrong usage, 3 something could not be read or asked.',
    )
    .action(async (workspaces: string[], options: Options) => {
      process.exitCode = await run(workspaces, options)
    })
}

async function run(workspaces: string[], { all = false, json = false, watch: keep, interval }: Options) {
  // Whoever reads our list may leave early (head); that is no error of ours.
  process.stdout.on('error', () => {})
  const roots = (workspaces.length > 0 ? workspaces : ['.agent-workspace']).map(folder =>
    path.resolve(folder),
  )
  const { measure } = await import('../metrics/measure.ts')
  const { statusLines } = await import('../metrics/status/table.ts')
  const { watch } = await import('../metrics/status/watch.ts')
  if (keep) {
    return exitCode(await watch(roots, { all, json, intervalMs: interval * 1000 }))
  }
  const found = await measure(roots)
  const text = json ? JSON.stringify(found, null, 2) : statusLines(found, all).join('\n')
  process.stdout.write(`${text}\n`)
  return exitCode(found)
}

const exitCode = (found: Measurement | undefined): number =>
  found?.problems.length === 0 ? exitCodes.seen : exitCodes.unknown

function seconds(text: string): number {
  const value = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && value >= 0.1 && value <= 86_400) return value
  throw new InvalidArgumentError('Expected seconds from 0.1 to 86400.')
}
