// A cleaner in a process of its own: `cleaner.ts <workspace> <task> <agent> <report file>`. With GATE, a FIFO, it says that it
// is ready (`<report file>.ready`) and waits until somebody has opened that for writing. GRACE_MS is its grace. With STOP it stops once it has
// handed over, before it can say so.
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
