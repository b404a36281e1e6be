import { updateAgent } from '../../orchestrator.ts'

// Changes the registry as one of many: `registry-writer.ts <workspace> <task> <agent> <times>`.

const [workspace = '', taskId = '', agentId = '', times] = process.argv.slice(2)
for (let n = 0; n < Number(times); n++)
  await updateAgent({ workspace, taskId, agentId }, entry => {
    entry.progress = (entry.progress ?? 0) + 1
  })
await updateAgent({ workspace, taskId, agentId }, entry => {
  entry.status = 'completed'
})
