import fs from 'node:fs'
import { beforeEach, expect, test, vi } from 'vitest'
import { runDaemon, sweep } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { Slots } from '../../platform/slots.ts'
import { readAgent } from '../../registry/registry.ts'
import { TASK, useTwoDeadAgents } from '../support/two-dead-agents.ts'
import { until } from '../support/until.ts'

/** When many agents end together, one waits for its cleanup; meanwhile it may be started again under its id. */
let workspace: string
const workspaceNow = useTwoDeadAgents()
beforeEach(() => {
  workspace = workspaceNow()
})

let starts = 0

/** Starts an agent again as an orchestrator does that writes its registry itself. */
function startAgain(agentId: string): void {
  const file = layout.taskRegistry(workspace, TASK)
  const registry = JSON.parse(fs.readFileSync(file, 'utf8'))
  for (const entry of registry.agents)
    if (entry.id === agentId) entry.started_at = `2026-01-01T00:00:${String(++starts).padStart(2, '0')}Z`
  fs.writeFileSync(`${file}.new`, JSON.stringify(registry))
  fs.renameSync(`${file}.new`, file)
}

test('a sweep leaves it alone', async () => {
  // Between the last check and the first cleanup.
  const progress = (what: string, done: number, of: number) => {
    if (what === 'checked' && done === of) startAgain('b')
  }
  const { agents } = await sweep(workspace, { graceMs: 100, minAgeMs: 0, apply: true, progress })
  expect(agents.map(({ agent, state, done }) => [agent.agentId, state, done?.outcome])).toEqual([
    ['a', 'ended', 'clean'],
    ['b', 'live', undefined],
  ])
  expect(readAgent({ workspace, taskId: TASK, agentId: 'b' }).status).toBe('running')
})

test('a daemon checks it again', async () => {
  const run = Slots.prototype.run
  const steps: string[] = []
  const stop = new AbortController()
  // Each agent is found dead and then cleaned up; before the first cleanup both are started again.
  vi.spyOn(Slots.prototype, 'run').mockImplementation(function (this: Slots, work) {
    return run.call(this, async () => {
      const result = await work()
      const isVerdict = typeof result === 'object' && result !== null
      if (isVerdict) steps.push('found dead')
      if (isVerdict && steps.length <= 2) for (const agentId of ['a', 'b']) startAgain(agentId)
      return result
    }) as never
  })
  const log = ({ event }: { event: string }) => void (event === 'intent' && steps.push('intent'))
  const running = runDaemon({ workspaces: [workspace], graceMs: 100, log, signal: stop.signal })
  await until('something was begun', () => steps.includes('intent'))
  stop.abort()
  await running
  expect(steps.slice(0, 3)).toEqual(['found dead', 'found dead', 'found dead'])
})
