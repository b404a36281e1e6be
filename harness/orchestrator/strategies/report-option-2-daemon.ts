/**
 * The daemon of the report's option 2: `report-option-2-daemon.ts <workspace>`. It searches the workspace for registries and
 * ends the session of every agent that is registered as completed. It ignores agents that ended otherwise or have no
 * session any more, and their files stay for ever. It ends with its standard input.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { AgentEntry, AgentRef } from '../../../cleanup/orchestrator.ts'
import { parseJson } from '../../json.ts'
import { killSession, matchesName } from '../tmux.ts'
import { moveLogs, removePrompt } from './report-files.ts'

const workspace = process.argv[2] ?? '.agent-workspace'
const intervalMs = Number(process.env.CHECK_INTERVAL ?? 60) * 1_000

process.stdin.resume().once('end', () => process.exit())

for (;;) {
  for (const registry of findRegistries()) {
    for (const agent of completedAgents(registry)) await cleanUp(agent, registry)
  }
  await delay(intervalMs)
}

function findRegistries(): string[] {
  const names = readdirSync(workspace, { recursive: true, encoding: 'utf8' })
  return names.filter(name => basename(name) === 'AGENT_REGISTRY.json').map(name => join(workspace, name))
}

/** Silently none when the registry does not parse, as while it is being written. */
function completedAgents(registry: string): AgentEntry[] {
  try {
    const { agents }: { agents: AgentEntry[] } = parseJson(readFileSync(registry, 'utf8'))
    return agents.filter(({ status }) => status === 'completed')
  } catch {
    return []
  }
}

async function cleanUp({ id, tmux_session: session = '' }: AgentEntry, registry: string): Promise<void> {
  if (!(await matchesName(session))) return
  await killSession(session)
  const agent: AgentRef = { workspace, taskId: basename(dirname(registry)), agentId: id }
  moveLogs(agent)
  removePrompt(agent)
}
