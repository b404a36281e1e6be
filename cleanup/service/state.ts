import { messageOf } from '../errors.ts'
import { readDaemon } from '../metrics/health.ts'
import { present } from './managed-file.ts'
import { type Manager, type Place, run } from './manager.ts'
import type { ServicePlan } from './plan.ts'

/** How a service is: its file, what its manager says, and the daemons of the workspaces. For people. */
export interface ServiceState {
  lines: string[]
  /** True when the file is ours, and each workspace has a daemon with a fresh heartbeat. */
  isWell: boolean
}

/** Looks at a service. `plan` is what an install would write now; an error when it could not. Changes nothing. */
export async function serviceState(
  plan: ServicePlan | Error,
  place: Place,
  manager: Manager,
  workspaces: readonly string[],
): Promise<ServiceState> {
  const file = fileState(plan, manager)
  const said =
    place.hasSystemd || manager.kind === 'launchd'
      ? await ask(manager)
      : [`${manager.kind} does not run here`]
  const daemons = workspaces.map(daemonState)
  return {
    lines: [file.line, ...said, ...daemons.map(({ line }) => line)],
    isWell: file.isWell && daemons.every(({ isWell }) => isWell),
  }
}

interface Finding {
  line: string
  isWell: boolean
}

function fileState(plan: ServicePlan | Error, { file, render }: Manager): Finding {
  const there = present(file)
  if (there.is === 'absent') return { line: `${file}: not installed`, isWell: false }
  if (there.is === 'foreign') return { line: `${file}: ${there.what}, not ours`, isWell: false }
  if (plan instanceof Error) return { line: `${file}: installed; ${messageOf(plan)}`, isWell: false }
  // Other options are as right as those by default; whether it works is for the daemons below to say.
  const isSame = there.text === render(plan)
  const line = `${file}: installed${isSame ? '' : ', with other options or for other workspaces than an install would now'}`
  return { line, isWell: true }
}

async function ask({ toAsk }: Manager): Promise<string[]> {
  const answers = await Promise.all(toAsk.map(run))
  return answers.map(({ output }, n) => `${toAsk[n]?.join(' ')}: ${output.split('\n')[0]}`)
}

function daemonState(workspace: string): Finding {
  const { pid, stopped, health, fresh } = readDaemon(workspace, Date.now())
  if (pid === undefined && !health) return { line: `${workspace}: no daemon`, isWell: false }
  if (stopped)
    return { line: `${workspace}: daemon ${pid} is stopped; continue it (kill -CONT ${pid})`, isWell: false }
  const who = pid === undefined ? `no daemon; the last one (${health?.pid}) was killed` : `daemon ${pid}`
  if (!health) return { line: `${workspace}: ${who}, which writes no health file`, isWell: false }
  const heartbeat = `heartbeat ${health.heartbeat_at}${fresh ? '' : ', which is too long ago'}`
  const state = [health.state, ...health.reasons].join(': ')
  return {
    line: `${workspace}: ${who}, ${heartbeat}, ${health.pending} pending, ${state}`,
    isWell: pid !== undefined && fresh && health.state === 'ok',
  }
}
