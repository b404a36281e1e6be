import fs from 'node:fs'
import type { AgentRef } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { changeTask } from '../../registry/registry.ts'
import type { Rig } from './rig.ts'

/**
 * Registers agents in the rig's task that started an hour ago and of which nothing runs any more, on a tmux server that
 * does not exist. The first `withFiles` of them have a prompt and a stream log.
 */
export async function registerDeadAgents(
  rig: Rig,
  count: number,
  withFiles: number,
  name = 'gone',
): Promise<AgentRef[]> {
  const refs = Array.from({ length: count }, (_, n) => rig.ref(`${name}-${n}`))
  for (const ref of refs.slice(0, withFiles))
    for (const file of [layout.promptFile(ref), layout.streamLog(ref)]) fs.writeFileSync(file, '{}\n')
  const started_at = new Date(Date.now() - 3_600_000).toISOString()
  const [first] = refs
  if (!first) return refs
  await changeTask(rig.workspace, first.taskId, ({ agents }) => {
    for (const [n, { agentId }] of refs.entries()) {
      const place = { session_id: `$${n}`, session_created: 1, pane_id: `%${n}`, pane_pid: 4_194_304 + n }
      const tmux = { socket: `${rig.folder}/nowhere`, server_pid: 4_194_304, ...place }
      agents.push({ id: agentId, status: 'running', started_at, tmux })
    }
  })
  return refs
}
