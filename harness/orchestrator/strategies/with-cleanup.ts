import { CleanupError, cleanUp, recordIntent } from '../../../cleanup/index.ts'
import * as orchestrator from '../../../cleanup/orchestrator.ts'
import { DaemonKeeper } from './daemon-keeper.ts'
import { AWAIT_DAEMON, type Ending, type Strategy, type StrategyName } from './strategy.ts'

interface Parts {
  /** The call that ends an agent cleans it up (the report's option 1). */
  immediate: boolean
  /** A daemon cleans up what is left (option 2). */
  daemon: boolean
}

/** A strategy that uses the bundled cleanup: immediately, by a daemon, or both. */
export function withCleanup(name: StrategyName, parts: Parts): Strategy {
  const end = (agent: orchestrator.AgentRef, ending: Ending) =>
    parts.immediate ? cleanUpNow(agent, ending) : leaveToDaemon(agent, ending)
  let keeper: DaemonKeeper | undefined
  return {
    name,
    contains: true,
    async start(workspace) {
      await orchestrator.initRegistries(workspace)
      if (!parts.daemon) return
      keeper = new DaemonKeeper(workspace)
      const started = keeper.start()
      if (process.env[AWAIT_DAEMON] !== '1') return
      // The keeper keeps no process alive.
      const alive = setInterval(() => {}, 1_000)
      await started.finally(() => clearInterval(alive))
    },
    problem: () => keeper?.problem,
    addTask: orchestrator.addTask,
    addAgent: orchestrator.addAgent,
    updateAgent: orchestrator.updateAgent,
    readTask: async (workspace, taskId) => orchestrator.readTaskRegistry(workspace, taskId),
    ended: end,
    kill: (agent, reason) => end(agent, { status: 'terminated', reason }),
    async seenEnded(agent) {
      try {
        const ending = await orchestrator.findEnding(agent)
        return ending ? await end(agent, ending) : {}
      } catch (error) {
        // Its session is not seen from here, which is no failure of the caller's.
        if (!(error instanceof CleanupError && error.code === 'elsewhere')) throw error
        return { session_status: 'unknown', problem: error.message }
      }
    },
  }
}

async function cleanUpNow(agent: orchestrator.AgentRef, ending: Ending): Promise<Record<string, unknown>> {
  return { cleanup: await cleanUp(agent, ending) }
}

/** Records only the intent, which the daemon sees and executes. What cannot be recorded (a full disk) it would never see. */
async function leaveToDaemon(agent: orchestrator.AgentRef, ending: Ending): Promise<Record<string, unknown>> {
  try {
    await recordIntent(agent, ending)
    return { cleanup: { outcome: 'left to the daemon' } }
  } catch (error) {
    if (error instanceof CleanupError && error.code === 'registry-unwritable')
      return cleanUpNow(agent, ending)
    throw error
  }
}
