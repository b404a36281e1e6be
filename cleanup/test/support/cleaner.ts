// A cleaner in a process of its own: `cleaner.ts <workspace> <task> <agent> <report file> [event to die at] [its count]`.
import fs from 'node:fs'
import { cleanUp } from '../../index.ts'

const [workspace = '', taskId = '', agentId = '', file = '', fatal, count = '1'] = process.argv.slice(2)
let left = Number(count)

const report = await cleanUp(
  { workspace, taskId, agentId },
  {
    status: 'completed',
    reason: 'it said so',
    graceMs: Number(process.env.GRACE_MS ?? 1_000),
    log: ({ event }) => {
      if (event === fatal && --left === 0) process.kill(process.pid, 'SIGKILL')
    },
  },
)
fs.writeFileSync(file, JSON.stringify(report))
