// Updates one agent's entry many times, beside other writers: `registry-writer.ts <workspace> <task> <agent> <times>`.
import { updateAgent } from '../../orchestrator.ts'

const [workspace = '', taskId = '', agentId = '', times] = process.argv.slice(2)
for (let n = 0; n < Number(times); n++)
  await updateAgent({ workspace, taskId, agentId }, entry => {
    entry.progress = (entry.progress ?? 0) + 1
  })
await updateAgent({ workspace, taskId, agentId }, entry => {
  entry.status = 'completed'
})
