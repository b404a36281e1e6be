import { execFile } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type AgentRef, layout } from '../../../cleanup/orchestrator.ts'
import { killSession, matchesName } from '../tmux.ts'
import { asFound, markEnded } from './as-found.ts'
import { moveLogs, removePrompt } from './report-files.ts'
import type { Strategy } from './strategy.ts'

/** How long it waits for the processes of a killed session, ms. */
const endingMs = 500

/**
 * The report's option 1 (section 6), faults included: the call that ends an agent cleans up after it, in the process that
 * was called. If that is the agent's own instance, it dies with the session that it kills, and the rest is not done: the
 * registry, which it read first and would write last, is not written.
 */
export const reportOption1: Strategy = {
  ...asFound,
  name: 'report-option-1',
  ended: (agent, { status }) => end(agent, status),
  kill: agent => end(agent, 'terminated'),
}

async function end(agent: AgentRef, status: string): Promise<Record<string, unknown>> {
  const writeRegistry = markEnded(agent, status)
  const cleanup = await cleanUp(agent)
  writeRegistry()
  return { cleanup }
}

async function cleanUp(agent: AgentRef): Promise<Record<string, unknown>> {
  const session = layout.sessionName(agent)
  let killed = false
  if (await matchesName(session)) {
    killed = await killSession(session)
    await delay(endingMs)
  }
  return {
    tmux_session: killed,
    prompt_file: removePrompt(agent),
    log_files_archived: moveLogs(agent),
    ...(await verify(agent)),
  }
}

/**
 * The report's verification: lines of `ps` that contain the agent's id and the word "claude". A leaked child has neither
 * in its arguments, and a pager on the agent's log has both.
 */
async function verify({ agentId }: AgentRef): Promise<Record<string, unknown>> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['aux'], { timeout: 5_000, maxBuffer: 64 << 20 })
    const lines = stdout.split('\n').filter(line => line.includes(agentId) && /claude/i.test(line))
    return lines.length === 0
      ? { verified_no_zombies: true }
      : { verified_no_zombies: false, zombie_processes: lines.length }
  } catch {
    return { verified_no_zombies: false }
  }
}
