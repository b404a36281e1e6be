// Does all that leakrig does to workspaces, one after the other: `look-at.ts <workspace> ...`. Prints a line of JSON for each.
import { applyPlan, CleanupError, measure, planRetention, policyOf, sweep } from '../../index.ts'

const times = { graceMs: 100, minAgeMs: 0 }

for (const workspace of process.argv.slice(2)) {
  console.log(`begins ${workspace}`)
  const said = {
    dry: await attempt(() => sweep(workspace, { ...times, orphans: true })),
    applied: await attempt(() => sweep(workspace, { ...times, orphans: true, apply: true })),
    measured: await attempt(() => measure([workspace])),
    retained: await attempt(async () =>
      applyPlan(await planRetention([workspace], one => policyOf(one, { keepDays: '0' }))),
    ),
  }
  console.log(JSON.stringify(said))
}

async function attempt(step: () => Promise<unknown>): Promise<unknown> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof CleanupError) return { refused: error.message }
    throw error
  }
}
