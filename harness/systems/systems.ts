import { programFile, testProgram } from '../../bin/programs.ts'
import { strategyNames } from '../orchestrator/strategies/strategy.ts'
import type { SystemCommand } from '../probe/api.ts'
import type { Places } from '../probe/places.ts'

/** What a scenario cannot wait for: the report's daemon looks once a minute, and here once a second. */
const hurried = { CHECK_INTERVAL: '1' }

/** Every system that the rig knows by name; each is our own orchestrator with another strategy. */
export const systemNames: readonly string[] = strategyNames

/** How the system of that name is started inside a sandbox. */
export function systemCommand(name: string, places: Places): SystemCommand {
  return orchestratorCommand([programFile('orchestrator'), '--strategy', name], places)
}

/** An orchestrator of ours, from the arguments that Node is given. */
export function orchestratorCommand(args: string[], places: Places): SystemCommand {
  return {
    command: places.node,
    args,
    env: { CLAUDE_ORCHESTRATOR_WORKSPACE: places.workspace, ...hurried },
    cwd: places.work,
  }
}

/** Our orchestrator with one of the rig's seeded defects, and all else as in `hybrid`. */
export function defectiveSystem(defect: string, places: Places): SystemCommand {
  return orchestratorCommand([testProgram('defective-orchestrator'), defect, 'hybrid'], places)
}

/** The bundled daemon as a service manager starts it anew, for the orchestrator with that pid. */
export function daemonCommand({ node, workspace }: Places, owner: number): string[] {
  return [node, programFile('daemon'), workspace, '--owner-pid', String(owner)]
}
