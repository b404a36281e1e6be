import * as cleanup from '../../../cleanup/index.ts'
import { ensureDaemon } from './ensure-daemon.ts'
import type { Ending, Strategy, StrategyName } from './strategy.ts'

interface Parts {
  /** The call that ends an agent cleans it up (the report's option 1). */
  immediate: boolean
  /** A daemon beside it cleans up what is left (option 2). */
  daemon: boolean
}

/** A strategy that uses the bundled cleanup: at once, by a daemon, or both. */
export function withCleanup(name: StrategyName, parts: Parts): Strategy {
  const end = (agent: cleanup.AgentRef, ending: Ending) =>
    parts.immediate ? cleanUp(agent, ending) : leaveToDaemon(agent, ending)
  return {
    name,
    contains: true,
    async start(workspace) {
      await cleanup.initRegistries(workspace)
      if (parts.daemon) await ensureDaemon(workspace)
    },
    addTask: cleanup.addTask,
    addAgent: cleanup.addAgent,
    updateAgent: cleanup.updateAgent,
    readTask: async (workspace, taskId) => cleanup.readTaskRegistry(workspace, taskId),
    ended: end,
    kill: (agent, reason) => end(agent, { status: 'terminated', reason }),
    async seenEnded(agent) {
      const ending = await cleanup.findEnding(agent)
      return ending ? end(agent, ending) : {}
    },
  }
}

async function cleanUp(agent: cleanup.AgentRef, ending: Ending): Promise<Record<string, unknown>> {
  return { cleanup: await cleanup.cleanUp(agent, ending) }
}

/** Only the intent is written; the daemon sees it and does the work. */
async function leaveToDaemon(agent: cleanup.AgentRef, ending: Ending): Promise<Record<string, unknown>> {
  await cleanup.recordIntent(agent, ending)
  return { cleanup: { outcome: 'left to the daemon' } }
}
