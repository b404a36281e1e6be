import { messageOf } from '../errors.ts'
import { readDaemon } from '../metrics/health.ts'
import { readManagedFile } from './managed-file.ts'
import { type Host, type Manager, runCommand } from './manager.ts'
import type { ServicePlan } from './plan.ts'

/** The state of a service's file, of its manager, and of the workspaces' daemons, for people. */
export interface ServiceState {
  lines: string[]
  /** True when leakrig wrote the file, and each workspace has a daemon with a fresh heartbeat. */
  isHealthy: boolean
}

/** Changes nothing. `plan` is what an install would write now, or the error that prevents an install. */
export async function serviceState(
  plan: ServicePlan | Error,
  host: Host,
  manager: Manager,
  workspaces: readonly string[],
): Promise<ServiceState> {
  const file = fileState(plan, manager)
  const manages =
    host.hasSystemd || manager.kind === 'launchd'
      ? await managerState(manager)
      : [`${manager.kind} does not run here`]
  const daemons = workspaces.map(daemonState)
  return {
    lines: [file.line, ...manages, ...daemons.map(({ line }) => line)],
    isHealthy: file.isHealthy && daemons.every(({ isHealthy }) => isHealthy),
  }
}

interface PartState {
  line: string
  isHealthy: boolean
}

function fileState(plan: ServicePlan | Error, { file, render }: Manager): PartState {
  const existing = readManagedFile(file)
  if (existing.is === 'absent') return { line: `${file}: not installed`, isHealthy: false }
  if (existing.is === 'foreign')
    return { line: `${file}: ${existing.what}, not written by leakrig`, isHealthy: false }
  if (plan instanceof Error) return { line: `${file}: installed; ${messageOf(plan)}`, isHealthy: false }
  // Other options are not a fault; the daemons' own lines show whether the service works.
  const isSame = existing.text === render(plan)
  const difference = isSame ? '' : ', with other options or workspaces than an install would write now'
  return { line: `${file}: installed${difference}`, isHealthy: true }
}

async function managerState({ statusCommands }: Manager): Promise<string[]> {
  const results = await Promise.all(statusCommands.map(runCommand))
  return results.map(({ output }, n) => `${statusCommands[n]?.join(' ')}: ${output.split('\n')[0]}`)
}

function daemonState(workspace: string): PartState {
  const { pid, stopped, health, elsewhere, fresh } = readDaemon(workspace, Date.now())
  if (pid === undefined && !health) return { line: `${workspace}: no daemon`, isHealthy: false }
  if (stopped)
    return {
      line: `${workspace}: daemon ${pid} is stopped; continue it (kill -CONT ${pid})`,
      isHealthy: false,
    }
  const where = elsewhere === undefined ? '' : ` ${elsewhere}`
  const isKnown = pid !== undefined || elsewhere !== undefined
  const who = isKnown
    ? `daemon ${pid ?? health?.pid}${where}`
    : `no daemon; the last one (${health?.pid}) was killed`
  if (!health) return { line: `${workspace}: ${who}, without a health file`, isHealthy: false }
  const heartbeat = `heartbeat ${health.heartbeat_at}${fresh ? '' : ' (too old)'}`
  const state = [health.state, ...health.reasons].join(': ')
  return {
    line: `${workspace}: ${who}, ${heartbeat}, ${health.pending} pending, ${state}`,
    isHealthy: isKnown && fresh && health.state === 'ok',
  }
}
