import type { Observation } from '../claims/observation.ts'
import type { Log } from '../log.ts'
import { programFile } from '../programs.ts'
import { spawnDetached } from './spawn-detached.ts'

/**
 * Hands a cleaning to a process outside the agent. A cleaner that runs below the pane it ends would die in the
 * middle of its work. The intent is on disk by now, so the other one needs only to be told whose it is.
 */
export async function handOver({ ref, location }: Observation, graceMs: number, log: Log): Promise<void> {
  log({ event: 'hand-over', agent: ref.agentId })
  const args = [ref.workspace, ref.taskId, ref.agentId, String(graceMs)]
  await spawnDetached(
    programFile('hand-over'),
    args,
    location.server && { socket: location.path, pid: location.server.pid },
  )
}
