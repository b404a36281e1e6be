import { programFile, testProgram } from '../../bin/programs.ts'
import { AWAIT_DAEMON, strategyNames } from '../orchestrator/strategies/strategy.ts'
import type { SystemCommand } from '../probe/api.ts'
import type { SandboxFolders } from '../probe/places.ts'

/** The report's daemon checks once a minute, for which a scenario cannot wait. Here it checks once a second. */
const shorterInterval = { CHECK_INTERVAL: '1' }

/** Every system that can be tested by name; each is our own orchestrator with another strategy. */
export const systemNames: readonly string[] = strategyNames

/** The command that starts the system of that name inside a sandbox. */
export function systemCommand(name: string, places: SandboxFolders): SystemCommand {
  return orchestratorCommand([programFile('orchestrator'), '--strategy', name], places)
}

/** The command that starts an orchestrator of ours, with these arguments for Node. */
export function orchestratorCommand(args: string[], places: SandboxFolders): SystemCommand {
  return {
    command: places.node,
    args,
    env: { CLAUDE_ORCHESTRATOR_WORKSPACE: places.workspace, [AWAIT_DAEMON]: '1', ...shorterInterval },
    cwd: places.work,
  }
}

/** The command for our orchestrator with one of the rig's seeded defects, otherwise as `hybrid`. */
export function defectiveSystem(defect: string, places: SandboxFolders): SystemCommand {
  return orchestratorCommand([testProgram('defective-orchestrator'), defect, 'hybrid'], places)
}

/** The command by which a service manager would restart the daemon, for the orchestrator with that pid. */
export function daemonCommand({ node, workspace }: SandboxFolders, owner: number): string[] {
  return [node, programFile('daemon'), workspace, '--owner-pid', String(owner)]
}
