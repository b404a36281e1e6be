// A retention that sends itself SIGKILL at its nth removal: `retention-killed.ts <workspace> <n>`.

import { planRetention } from '../../index.ts'
import { applyPlan } from '../../retention/apply.ts'
import { parsePolicy } from '../../retention/policy.ts'

const [workspace = '', count] = process.argv.slice(2)
let left = Number(count)

await applyPlan(await planRetention([workspace], parsePolicy()), {
  log: () => {
    if (--left === 0) process.kill(process.pid, 'SIGKILL')
  },
})
