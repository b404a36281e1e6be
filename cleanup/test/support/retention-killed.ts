// A retention that sends itself SIGKILL when it logs an event for the nth time: `retention-killed.ts <workspace> <compression> <event> [n]`.

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
