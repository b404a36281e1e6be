#!/usr/bin/env node
import { recordedContainment } from '../containment/recorded.ts'
import { messageOf } from '../errors.ts'
import { leaveCgroup } from '../platform/processes/cgroup.ts'
// Finishes one agent's cleanup from outside the agent: `hand-over.ts <workspace> <task id> <agent id> <grace ms>`.
// Nobody watches it, so what it has to say it writes into the registry.
import { replyArrives } from '../reaper/reply-lock.ts'
import { resume } from '../reaper/resume.ts'
import { recordProblems } from '../registry/intent.ts'
import { readAgent } from '../registry/registry.ts'

const [workspace = '', taskId = '', agentId = '', graceMs] = process.argv.slice(2)
const ref = { workspace, taskId, agentId }

try {
  const entry = readAgent(ref)
  const contained = recordedContainment(ref, entry)
  // Without a tmux server to start it, it was born there.
  if (contained?.by === 'cgroup') leaveCgroup(contained.path)
  await replyArrives()
  const { outcome } = await resume(ref, { graceMs: Number(graceMs), handedOver: true })
  process.exitCode = outcome === 'unfinished' ? 1 : 0
} catch (error) {
  process.exitCode = 1
  await recordProblems(ref, [messageOf(error)]).catch(() => {})
}
