#!/usr/bin/env node
import { recordedContainment } from '../containment/recorded.ts'
import { messageOf } from '../errors.ts'
import { leaveCgroup } from '../platform/processes/cgroup.ts'
// Finishes one agent's cleanup from outside the agent: `hand-over.ts <workspace> <task id> <agent id> [<grace ms> [<status> <reason>]]`:
// its end, where nothing can be written and so no registry has it.
// Nobody reads its output, so it writes its problems to the registry.
import { cleanUp, resume } from '../reaper/clean-up.ts'
import { replyArrives } from '../reaper/reply-lock.ts'
import { recordProblems } from '../registry/intent.ts'
import { readAgent } from '../registry/registry.ts'

const [workspace = '', taskId = '', agentId = '', graceMs, status, reason = ''] = process.argv.slice(2)
const ref = { workspace, taskId, agentId }

try {
  const entry = readAgent(ref)
  const contained = recordedContainment(ref, entry)
  // Where no tmux server could start this process, it was born in the agent's cgroup.
  if (contained?.by === 'cgroup') leaveCgroup(contained.path)
  await replyArrives()
  const options = { graceMs: graceMs ? Number(graceMs) : undefined, handedOver: true }
  const { outcome } = await (status ? cleanUp(ref, { ...options, status, reason }) : resume(ref, options))
  process.exitCode = outcome === 'unfinished' ? 1 : 0
} catch (error) {
  process.exitCode = 1
  await recordProblems(ref, [messageOf(error)]).catch(() => {})
}
