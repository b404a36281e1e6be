import { expect } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { test } from '../../rig/fixtures.ts'
import type { Rig } from '../../rig/rig.ts'
import { ownSystem } from '../../systems/systems.ts'
import type { Verdict } from '../../verdict/verdict.ts'

needsNamespaces()

const option1 = test.extend('system', () => ownSystem('report-option-1'))
const option2 = test.extend('system', () => ownSystem('report-option-2'))

/** Longer than the daemon's interval and the ending of a claude after SIGHUP, ms. */
const untilNothingChanges = { deadlineMs: 20_000, restMs: 5_000, samples: 3 }
const now = { deadlineMs: 0, restMs: 0, samples: 1 }

/** Neither option handles these two kinds of files; the report itself says so. */
const always = ['deploy log', 'the global registry says']

option1('option 1, called from outside, cleans up what it knows of', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  expect(await agent.isKilled()).toMatchObject({
    cleanup: { tmux_session: true, prompt_file: true, log_files_archived: true },
  })
  await expect.poll(() => left(rig, now), { timeout: 20_000 }).toEqual(always)
})

option1('option 1, called from inside the agent, dies with the session that it kills', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'exits' })
  await agent.reportsCompleted()
  const files = ['findings', 'progress', 'prompt', 'stream log', 'the task registry says']
  expect(await left(rig)).toEqual([...always, ...files].sort())
  expect((await agent.registered()).task?.status).toBe('working')
})

option2('option 2 cleans up after an agent that completed and has a session still', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'completes' })
  await agent.reportsCompleted()
  // The daemon queries tmux about this agent every second, so its processes come and go.
  await expect.poll(() => left(rig, now), { timeout: 20_000 }).toEqual(always)
})

option2('option 2 never looks at an agent whose session is gone', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  await agent.isKilled()
  expect(await left(rig)).toEqual([...always, 'progress', 'prompt', 'stream log'].sort())
})

option2('option 2 has a daemon that ends with its orchestrator', async ({ rig }) => {
  const daemons = async () => (await rig.snapshot()).resources.filter(isDaemon)
  await expect.poll(daemons, { timeout: 10_000 }).toHaveLength(1)
  const orchestrator = (await rig.snapshot()).resources.find(one => one.kind === 'process' && !isDaemon(one))
  if (orchestrator?.kind !== 'process') throw new Error('The orchestrator is not among the processes.')
  expect(await rig.probe.signal(orchestrator, 'SIGKILL')).toBe(true)
  await expect.poll(daemons, { timeout: 10_000 }).toEqual([])
})

function isDaemon(one: { kind: string; command?: string }): boolean {
  return one.kind === 'process' && one.command?.includes('report-option-2-daemon') === true
}

/** The kinds of leftovers of the agent, sorted: the first words of their descriptions. */
async function left(rig: Rig, timing = untilNothingChanges): Promise<string[]> {
  const { leaks, collateral }: Verdict = await rig.settle(timing)
  expect(collateral).toEqual([])
  const begin = (what: string) => /^(the \w+ registry says|(deploy|stream) log|\w+)/.exec(what)?.[0] ?? what
  return leaks.map(({ what }) => begin(what)).sort()
}
