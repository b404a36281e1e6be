#!/usr/bin/env node
import { recordProblems } from '../cleaning/intent.ts'
// Finishes one agent's cleanup from outside the agent: `hand-over.ts <workspace> <task id> <agent id> <grace ms>`.
// Nobody watches it, so what it has to say it writes into the registry.
import { resume } from '../cleaning/resume.ts'
import { words } from '../errors.ts'

const [workspace = '', taskId = '', agentId = '', graceMs] = process.argv.slice(2)
const ref = { workspace, taskId, agentId }

try {
  const { outcome } = await resume(ref, { graceMs: Number(graceMs), handedOver: true })
  process.exitCode = outcome === 'unfinished' ? 1 : 0
} catch (error) {
  process.exitCode = 1
  await recordProblems(ref, [words(error)]).catch(() => {})
}
