import path from 'node:path'
import type { Command } from 'commander'
import { CleanupError, words } from '../errors.ts'
import { printable } from '../metrics/status/words.ts'
import type { Told } from '../service/install.ts'

interface Options {
  system?: boolean
  print?: boolean
  now?: boolean
  force?: boolean
}

/** 0 done, 1 refused or not well, 2 wrong usage or nothing here to install into. */
const exitCodes = { done: 0, refused: 1, wrongUsage: 2 } as const

/** Adds `leakrig service install|uninstall|status`: the daemon as a service of systemd or launchd. */
export function addServiceCommand(program: Command): void {
  const service = program
    .command('service')
    .description('run "leakrig daemon" as a service of systemd or launchd')
    .addHelpText('after', '\nExit codes: 0 done, 1 refused or not well, 2 wrong usage.')
  service
    .command('install')
    .description('write the service’s file, and say how it is started')
    .argument('[workspace...]', 'folders named .agent-workspace (default: the one here)')
    .option('--system', 'a service of the machine, not of the user (root)')
    .option('--print', 'print the file, and write nothing')
    .option('--force', 'replace a file of ours that says something else')
    .option('--now', 'start it, too')
    .action((workspaces: string[], options: Options) => act(() => install(workspaces, options)))
  service
    .command('uninstall')
    .description('remove the file that install wrote')
    .option('--system', 'the service of the machine')
    .option('--now', 'stop it first')
    .action((options: Options) => act(() => uninstall(options)))
  service
    .command('status')
    .description('say whether it is installed and alive')
    .argument('[workspace...]', 'folders named .agent-workspace (default: the one here)')
    .option('--system', 'the service of the machine')
    .action((workspaces: string[], options: Options) => act(() => status(workspaces, options)))
}

async function install(workspaces: string[], options: Options): Promise<number> {
  const { managerOf, thisPlace } = await import('../service/manager.ts')
  const { installService } = await import('../service/install.ts')
  const place = thisPlace()
  const manager = managerOf(place, options.system === true)
  const plan = await planFor(workspaces, options)
  if (options.print) {
    process.stdout.write(manager.render(plan))
    return exitCodes.done
  }
  const { force = false, now = false } = options
  return tell(await installService(plan, place, manager, { force, now }))
}

async function uninstall({
  system = false,
  now = false,
}: {
  system?: boolean
  now?: boolean
}): Promise<number> {
  const { managerOf, thisPlace } = await import('../service/manager.ts')
  const { uninstallService } = await import('../service/install.ts')
  const place = thisPlace()
  return tell(await uninstallService(place, managerOf(place, system), system, now))
}

async function status(workspaces: string[], options: Options): Promise<number> {
  const { managerOf, thisPlace } = await import('../service/manager.ts')
  const { serviceState } = await import('../service/state.ts')
  const place = thisPlace()
  const plan = await planFor(workspaces, options).catch((error: unknown) => {
    if (error instanceof CleanupError) return error
    throw error
  })
  const folders = rootsOf(workspaces).map(folder => path.resolve(folder))
  const { lines, isWell } = await serviceState(
    plan,
    place,
    managerOf(place, options.system === true),
    folders,
  )
  tell({ lines, problems: [] })
  return isWell ? exitCodes.done : exitCodes.refused
}

async function planFor(workspaces: string[], { system = false }: Options) {
  const { planService } = await import('../service/plan.ts')
  const surroundings = {
    node: process.execPath,
    // The program that is running now has the daemon's command too.
    program: process.argv[1] ?? '',
    environment: process.env,
  }
  return planService(rootsOf(workspaces), system, surroundings)
}

const rootsOf = (workspaces: string[]): string[] =>
  workspaces.length > 0 ? workspaces : ['.agent-workspace']

function tell({ lines, problems }: Told): number {
  for (const line of lines) process.stdout.write(`${printable(line)}\n`)
  for (const problem of problems) process.stderr.write(`leakrig: ${printable(problem)}\n`)
  return problems.length > 0 ? exitCodes.refused : exitCodes.done
}

async function act(run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run()
  } catch (error) {
    if (!(error instanceof CleanupError)) throw error
    process.stderr.write(`leakrig: ${printable(words(error))}\n`)
    process.exitCode = exitCodes.wrongUsage
  }
}
