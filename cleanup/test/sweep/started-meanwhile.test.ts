import fs from 'node:fs'
import { beforeEach, expect, test, vi } from 'vitest'
import { runDaemon, sweep } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { Slots } from '../../platform/slots.ts'
import { readAgent } from '../../registry/registry.ts'
import { TASK, useTwoDeadAgents } from '../support/two-dead-agents.ts'
import { until } from '../support/until.ts'

/** Among many that ended together, an agent waits for its cleanup; somebody may start it again under its id meanwhile. */
let workspace: string
const workspaceNow = useTwoDeadAgents()
beforeEach(() => {
  workspace = workspaceNow()
})

let starts = 0

/** As an orchestrator does that writes its registry by itself. */
function startAgain(agentId: string): void {
  const file = layout.taskRegistry(workspace, TASK)
  const registry = JSON.parse(fs.readFileSync(file, 'utf8'))
  for (const entry of registry.agents)
    if (entry.id === agentId) entry.started_at = `2026-01-01T00:00:${String(++starts).padStart(2, '0')}Z`
  fs.writeFileSync(`${file}.new`, JSON.stringify(registry))
  fs.renameSync(`${file}.new`, file)
}

test('a sweep leaves it alone', async () => {
  // Between the last look and the first cleanup.
  const progress = (what: string, done: number, of: number) => {
    if (what === 'looked at' && done === of) startAgain('b')
  }
  const { agents } = await sweep(workspace, { graceMs: 100, minAgeMs: 0, apply: true, progress })
  expect(agents.map(({ agent, state, done }) => [agent.agentId, state, done?.outcome])).toEqual([
    ['a', 'ended', 'clean'],
    ['b', 'live', undefined],
  ])
  expect(readAgent({ workspace, taskId: TASK, agentId: 'b' }).status).toBe('running')
})

test('a daemon judges it anew', async () => {
  const run = Slots.prototype.run
  const steps: string[] = []
  const stop = new AbortController()
  // Each agent is judged, and then, dead, cleaned up; before the first cleanup both are started again.
  vi.spyOn(Slots.prototype, 'run').mockImplementation(function (this: Slots, work) {
    return run.call(this, async () => {
      const result = await work()
      const isVerdict = typeof result === 'object' && result !== null
      if (isVerdict) steps.push('judged dead')
      if (isVerdict && steps.length <= 2) for (const agentId of ['a', 'b']) startAgain(agentId)
      return result
    }) as never
  })
  const log = ({ event }: { event: string }) => void (event === 'intent' && steps.push('intent'))
  const running = runDaemon({ workspaces: [workspace], graceMs: 100, log, signal: stop.signal })
  await until('something was begun', () => steps.includes('intent'))
  stop.abort()
  await running
  expect(steps.slice(0, 3)).toEqual(['judged dead', 'judged dead', 'judged dead'])
})
