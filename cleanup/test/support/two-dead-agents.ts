import fs from 'node:fs'
import { dir as temporaryFolder } from 'tmp-promise'
import { afterEach, beforeEach, vi } from 'vitest'
import { addAgent, addTask, initRegistries } from '../../orchestrator.ts'

export const TASK = 'TASK-1'

/**
 * Makes a workspace for each test of the calling file, with the agents a and b: their registry entries say that they run,
 * but they have no process and no tmux session. Returns a function that returns the current test's workspace.
 */
export function useTwoDeadAgents(): () => string {
  let workspace: string
  let remove: () => Promise<void>

  beforeEach(async () => {
    const made = await temporaryFolder({ prefix: 'lr-', unsafeCleanup: true })
    workspace = `${fs.realpathSync(made.path)}/.agent-workspace`
    remove = made.cleanup
    vi.stubEnv('TMUX_TMPDIR', made.path)
    await initRegistries(workspace)
    await addTask(workspace, { task_id: TASK })
    for (const agentId of ['a', 'b'])
      await addAgent(
        { workspace, taskId: TASK, agentId },
        { status: 'running', started_at: '2026-01-01T00:00:00Z' },
      )
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
    await remove()
  })
  return () => workspace
}
