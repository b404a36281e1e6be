// A retention in a process of its own, which dies of -9: `retention-killed.ts <workspace> <compression> <event> <its count>`.

import { planRetention } from '../../index.ts'
import { applyPlan } from '../../retention/apply.ts'
import { parsePolicy } from '../../retention/policy.ts'

const [workspace = '', compress = 'none', fatal, count = '1'] = process.argv.slice(2)
let left = Number(count)

const plan = await planRetention([workspace], parsePolicy({ compress }))
await applyPlan(plan, {
  log: ({ event }) => {
    if (event === fatal && --left === 0) process.kill(process.pid, 'SIGKILL')
  },
})
