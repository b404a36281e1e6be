import type { Command } from 'commander'
import { addDaemonOptions, type DaemonSettings } from './daemon-options.ts'
import { run } from './exit-codes.ts'

export interface ServiceOptions extends DaemonSettings {
  system?: boolean
  print?: boolean
  now?: boolean
  force?: boolean
}

/** Adds `leakrig service install|uninstall|status`: the daemon as a service of systemd or launchd. */
export function addService(program: Command): void {
  const load = () => import('./run-service.ts')
  const service = program
    .command('service')
    .description('run "leakrig daemon" as a service of systemd or launchd')
    .addHelpText('after', '\nExit codes: 0 done, or well; 1 refused, or not well; 2 wrong usage.')
  const installing = service
    .command('install')
    .description('write the service’s file, and say how it is started')
    .argument('[workspace...]', 'folders .agent-workspace (the one below the current folder)')
    .option('--system', 'a service of the machine, not of the user (root)')
    .option('--print', 'print the file, and write nothing')
    .option('--force', 'replace a file of ours that says something else')
    .option('--now', 'start it, too')
  addDaemonOptions(installing)
    .addHelpText('after', '\nEvery other option is the daemon’s, and handed to it.')
    .action(async (workspaces: string[], options: ServiceOptions) => {
      const { install } = await load()
      await run(() => install(workspaces, options))
    })
  service
    .command('uninstall')
    .description('remove the file that install wrote')
    .option('--system', 'the service of the machine')
    .option('--now', 'stop it first')
    .action(async (options: ServiceOptions) => {
      const { uninstall } = await load()
      await run(() => uninstall(options))
    })
  service
    .command('status')
    .description('say whether it is installed and alive')
    .argument('[workspace...]', 'folders .agent-workspace (the one below the current folder)')
    .option('--system', 'the service of the machine')
    .action(async (workspaces: string[], options: ServiceOptions) => {
      const { status } = await load()
      await run(() => status(workspaces, options))
    })
}
