import fs from 'node:fs'
import { CleanupError } from '../errors.ts'
import { becomeOwner } from '../platform/become-owner.ts'
import { fromCwd } from '../platform/cwd.ts'
import { WORKSPACE_NAME } from '../registry/require-workspace.ts'
import { installService, type ServiceResult, uninstallService } from '../service/install.ts'
import { managerOf, thisHost } from '../service/manager.ts'
import { planService, type ServicePlan } from '../service/plan.ts'
import { serviceState } from '../service/state.ts'
import { daemonWords, validateDaemonSettings } from './daemon-options.ts'
import { exitCodes } from './exit-codes.ts'
import { oneLine } from './format.ts'
import type { ServiceOptions } from './service.ts'

/** Writes, or with `print` shows, the service's file. Returns the exit code. */
export async function install(workspaces: string[], options: ServiceOptions): Promise<number> {
  const { system = false, print = false, force = false, now = false } = options
  const host = thisHost()
  const manager = managerOf(host, system)
  const plan = planFor(workspaces, system, daemonWords(options))
  validateForService(options, plan.owner?.uid)
  if (!print) return tell(await installService(plan, host, manager, { force, now }))
  process.stdout.write(manager.render(plan))
  for (const line of plan.omitted) console.error(`leakrig: ${oneLine(line)}`)
  return exitCodes.done
}

export async function uninstall({ system = false, now = false }: ServiceOptions): Promise<number> {
  const host = thisHost()
  return tell(await uninstallService(host, managerOf(host, system), system, now))
}

export async function status(workspaces: string[], { system = false }: ServiceOptions): Promise<number> {
  const host = thisHost()
  const folders = rootsOf(workspaces)
  const plan = planOrWhyNot()
  becomeOwner(folders.filter(folder => fs.existsSync(folder)))
  const { lines, isHealthy } = await serviceState(plan, host, managerOf(host, system), folders)
  tell({ lines, problems: [] })
  return isHealthy ? exitCodes.done : exitCodes.left

  function planOrWhyNot(): ServicePlan | CleanupError {
    try {
      return planFor(workspaces, system, [])
    } catch (error) {
      if (error instanceof CleanupError) return error
      throw error
    }
  }
}

/** The program that is running now is the one that has the daemon's command, too. */
function planFor(workspaces: string[], system: boolean, options: string[]): ServicePlan {
  const [node, program = ''] = [process.execPath, process.argv[1]]
  return planService(rootsOf(workspaces), system, { node, program, environment: process.env, options })
}

function validateForService(options: ServiceOptions, uid?: number): void {
  validateDaemonSettings(options, uid)
  if (options.metricsPort !== 0) return
  throw new CleanupError(
    'bad-argument',
    'The metrics port 0 is refused: a service whose port is another one after each start cannot be scraped; name one.',
  )
}

const rootsOf = (workspaces: string[]): string[] =>
  (workspaces.length > 0 ? workspaces : [WORKSPACE_NAME]).map(fromCwd)

function tell({ lines, problems }: ServiceResult): number {
  for (const line of lines) console.log(oneLine(line))
  for (const problem of problems) console.error(`leakrig: ${oneLine(problem)}`)
  return problems.length > 0 ? exitCodes.left : exitCodes.done
}
