// Runs every operation of leakrig on each workspace in turn: `run-everything.ts <workspace> ...`. Prints a line of JSON for each.
import { CleanupError, cleanUp, measure, planRetention, runDaemon, sweep } from '../../index.ts'
import { readTaskRegistry } from '../../orchestrator.ts'
import { listTasks } from '../../registry/registry.ts'
import { applyPlan } from '../../retention/apply.ts'
import { parsePolicy } from '../../retention/policy.ts'

const graceMs = 100
const times = { graceMs, minAgeMs: 0 }

for (const workspace of process.argv.slice(2)) {
  console.log(`begins ${workspace}`)
  const results = {
    dry: await attempt(() => sweep(workspace, { ...times, orphans: true })),
    measured: await attempt(() => measure([workspace])),
    applied: await attempt(() => sweep(workspace, { ...times, orphans: true, apply: true })),
    ended: await attempt(() => cleanUpAll(workspace)),
    watched: await attempt(() => watch(workspace)),
    retained: await attempt(async () =>
      applyPlan(await planRetention([workspace], parsePolicy({ keepDays: '0' }))),
    ),
  }
  console.log(JSON.stringify(results))
}

async function cleanUpAll(workspace: string): Promise<unknown[]> {
  const outcomes: unknown[] = []
  for (const taskId of listTasks(workspace)) {
    const registry = await attempt(async () => readTaskRegistry(workspace, taskId))
    const agents =
      registry !== null && typeof registry === 'object' && 'agents' in registry ? registry.agents : []
    for (const { id } of agents as { id: string }[])
      outcomes.push(
        await attempt(() =>
          cleanUp({ workspace, taskId, agentId: id }, { status: 'terminated', reason: 'test', graceMs }),
        ),
      )
  }
  return outcomes
}

/** Runs a daemon until it has checked every agent once and finished the cleanups that it began. Returns its log events. */
async function watch(workspace: string): Promise<string[]> {
  const stop = new AbortController()
  const events: string[] = []
  const log = ({ event }: { event: string }) => {
    events.push(event)
    if (event === 'started') stop.abort()
  }
  await runDaemon({ workspaces: [workspace], graceMs, log, signal: stop.signal })
  return events
}

async function attempt(step: () => Promise<unknown>): Promise<unknown> {
  try {
    return await step()
  } catch (error) {
    if (error instanceof CleanupError) return { refused: error.message }
    throw error
  }
}
