// Cleans up one agent and writes the report: `cleaner.ts <workspace> <task> <agent> <report file>`.
// GATE names a FIFO: the cleaner creates `<report file>.ready` and waits until the FIFO is opened for writing.
// GRACE_MS is the grace period in ms. With STOP it sends itself SIGSTOP once it has handed over, before it returns.
import fs from 'node:fs'
import { cleanUp } from '../../index.ts'

const [workspace = '', taskId = '', agentId = '', file = ''] = process.argv.slice(2)
const { GATE, GRACE_MS = '1000', STOP } = process.env

if (GATE) {
  fs.writeFileSync(`${file}.ready`, '')
  fs.closeSync(fs.openSync(GATE, 'r'))
}
const log = ({ outcome }: Record<string, unknown>) => {
  if (STOP && outcome === 'handed-over') process.kill(process.pid, 'SIGSTOP')
}
const report = await cleanUp(
  { workspace, taskId, agentId },
  { status: 'completed', reason: 'it said so', graceMs: Number(GRACE_MS), log },
)
fs.writeFileSync(file, JSON.stringify(report))
