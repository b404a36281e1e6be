import { programFile, projectRoot, testProgram } from '../../bin/programs.ts'
import { checkDefinition } from '../definition/check.ts'
import type { SystemDefinition } from '../definition/definition.ts'
import type { System } from '../definition/system.ts'
import { AWAIT_DAEMON, strategyNames } from '../orchestrator/strategies/strategy.ts'
import type { SandboxFolders } from '../probe/places.ts'
import { reportLayout } from './report-layout.ts'

/** The report's daemon checks once a minute, for which a scenario cannot wait. Here it checks once a second. */
const shorterInterval = { CHECK_INTERVAL: '1' }

/**
 * Flags of Node: in a process that may take as much as it likes, garbage of half a gigabyte looks like a leak for hundreds of
 * agents.
 */
const earlyCollection = ['--max-semi-space-size=2', '--heap-growing-percent=20']

/** The names of our own systems; each is our orchestrator with another strategy. */
export const systemNames: readonly string[] = strategyNames

/** The workspace of our own systems in a sandbox. */
export const workspaceIn = ({ work }: Pick<SandboxFolders, 'work'>): string => `${work}/.agent-workspace`

const ofAgent = { task_id: '{task}', agent_id: '{id}' }
const completed = { ...ofAgent, status: 'completed', progress: 100 }

/** Our orchestrator, an MCP server with the report's tools. */
function definition(name: string, args: string[], env: Record<string, string>): SystemDefinition {
  return {
    name,
    mcp: {
      command: ['{node}', ...earlyCollection, ...args],
      env: {
        CLAUDE_ORCHESTRATOR_WORKSPACE: '{work}/.agent-workspace',
        [AWAIT_DAEMON]: '1',
        ...shorterInterval,
        ...env,
      },
    },
    prepare: {
      tool: 'create_real_task',
      args: { description: 'A scenario of leakrig' },
      result: { task: '/task_id' },
    },
    deploy: {
      tool: 'deploy_headless_agent',
      args: { task_id: '{task}', agent_type: '{type}', prompt: '{prompt}' },
      result: { id: '/agent_id', session: '/tmux_session' },
    },
    kill: { tool: 'kill_real_agent', args: { ...ofAgent, reason: '{reason}' } },
    completes: {
      inside: { tool: 'update_agent_progress', args: { ...completed, message: 'All done' } },
      outside: {
        tool: 'update_agent_progress',
        args: { ...completed, message: 'Reported by a scenario of leakrig' },
      },
    },
    recover: 'by itself',
    ...reportLayout,
  }
}

/** One of our own systems, by its name. */
export function ownSystem(name: string, env: Record<string, string> = {}): System {
  return planned(definition(name, [programFile('orchestrator'), '--strategy', name], env))
}

/** Our orchestrator with one of the rig's seeded defects, otherwise as `base`. */
export function defectiveSystem(defect: string, base = 'hybrid', env: Record<string, string> = {}): System {
  return planned(definition('defective', [testProgram('defective-orchestrator'), defect, base], env))
}

function planned(written: SystemDefinition): System {
  const outcome = checkDefinition(written, { folder: projectRoot, path: [] })
  if ('system' in outcome) {
    // Every sandbox has what our own systems are.
    const { project: _, ...system } = outcome.system
    return system
  }
  throw new Error(outcome.mistakes.join('\n'))
}

/** The command by which a service manager would restart the daemon, for the orchestrator with that pid. */
export function daemonCommand(places: SandboxFolders, owner: number): string[] {
  return [places.node, programFile('daemon'), workspaceIn(places), '--owner-pid', String(owner)]
}
