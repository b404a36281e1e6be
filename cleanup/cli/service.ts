import fs from 'node:fs'
import type { Command } from 'commander'
import { CleanupError } from '../errors.ts'
import { becomeOwner } from '../platform/become-owner.ts'
import { fromCwd } from '../platform/cwd.ts'
import { WORKSPACE_NAME } from '../registry/require-workspace.ts'
import { parsePolicy } from '../retention/policy.ts'
import type { ServiceResult } from '../service/install.ts'
import type { ServicePlan } from '../service/plan.ts'
import {
  addDaemonOptions,
  type DaemonSettings,
  daemonArguments,
  validateMetricsOptions,
} from './daemon-options.ts'
import { exitCodes, run } from './exit-codes.ts'
import { printProblem, print as show } from './output.ts'
import { useSockets } from './socket-options.ts'
import { ownWorkspace, WORKSPACE_ARGUMENT } from './workspace.ts'

export interface ServiceOptions extends DaemonSettings {
  system?: boolean
  print?: boolean
  now?: boolean
  force?: boolean
}

/** Adds `leakrig service install|uninstall|status`: the daemon as a service of systemd or launchd. */
export function addService(program: Command): Command {
  const service = program
    .command('service')
    .description('run "leakrig daemon" as a service of systemd or launchd')
    .addHelpText('after', '\nExit codes: 0 done, or healthy; 1 refused, or not healthy; 2 wrong usage.')
  const installing = service
    .command('install')
    .description('write the service’s file, and show how to start it')
    .argument('[workspace...]', WORKSPACE_ARGUMENT)
    .option('--system', 'a service of the machine instead of the user (requires root)')
    .option('--print', 'print the file and write nothing')
    .option('--force', 'replace an existing file of ours with different content')
    .option('--now', 'start the service as well')
  addDaemonOptions(installing)
    .addHelpText('after', '\nAll other options are passed to the daemon.')
    .action((workspaces: string[], options: ServiceOptions) => run(() => install(workspaces, options)))
  service
    .command('uninstall')
    .description('remove the file that install wrote')
    .option('--system', 'the service of the machine')
    .option('--now', 'stop the service first')
    .action((options: ServiceOptions) => run(() => uninstall(options)))
  service
    .command('status')
    .description('show whether it is installed and alive')
    .argument('[workspace...]', WORKSPACE_ARGUMENT)
    .option('--system', 'the service of the machine')
    .action((workspaces: string[], options: ServiceOptions) => run(() => status(workspaces, options)))
  return service
}

/** Writes the service's file, or prints it with `print`. Returns the exit code. */
export async function install(workspaces: string[], options: ServiceOptions): Promise<number> {
  const { managerOf, thisHost } = await import('../service/manager.ts')
  const { installService } = await import('../service/install.ts')
  const { system = false, print = false, force = false, now = false } = options
  const host = thisHost()
  const manager = managerOf(host, system)
  parsePolicy(options)
  if (options.metricsPort === 0)
    throw new CleanupError(
      'bad-argument',
      'The metrics port 0 is refused: it would change with every start of the service, and could not be scraped; name one.',
    )
  const plan = await planFor(workspaces, system, daemonArguments(options))
  validateMetricsOptions(options, plan.owner?.uid)
  // Only the daemon itself works as the owner, whose sockets these are.
  if (!plan.owner) await useSockets(options, true)
  if (!print) return report(await installService(plan, host, manager, { force, now }))
  show(manager.render(plan).trimEnd().split('\n'))
  plan.omitted.forEach(printProblem)
  return exitCodes.done
}

async function uninstall({ system = false, now = false }: ServiceOptions): Promise<number> {
  const { managerOf, thisHost } = await import('../service/manager.ts')
  const { uninstallService } = await import('../service/install.ts')
  const host = thisHost()
  return report(await uninstallService(host, managerOf(host, system), system, now))
}

async function status(workspaces: string[], { system = false }: ServiceOptions): Promise<number> {
  const { managerOf, thisHost } = await import('../service/manager.ts')
  const { serviceState } = await import('../service/state.ts')
  const host = thisHost()
  const folders = (workspaces.length > 0 ? workspaces : [WORKSPACE_NAME]).map(fromCwd)
  const plan = await planFor(workspaces, system, []).catch(error => {
    if (error instanceof CleanupError) return error
    throw error
  })
  becomeOwner(folders.filter(folder => fs.existsSync(folder)))
  const { lines, isHealthy } = await serviceState(plan, host, managerOf(host, system), folders)
  report({ lines, problems: [] })
  return isHealthy ? exitCodes.done : exitCodes.left
}

/** The service runs the program that is running now, because that is one with the command `daemon`. */
async function planFor(workspaces: string[], system: boolean, options: string[]): Promise<ServicePlan> {
  const { planService } = await import('../service/plan.ts')
  const [node, program = ''] = [process.execPath, process.argv[1]]
  const folders = workspaces.length > 0 ? workspaces.map(fromCwd) : [ownWorkspace()]
  return planService(folders, system, { node, program, environment: process.env, options })
}

function report({ lines, problems }: ServiceResult): number {
  for (const line of lines) show([line])
  problems.forEach(printProblem)
  return problems.length > 0 ? exitCodes.left : exitCodes.done
}
