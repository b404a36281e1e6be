import { expect, test as plainTest } from 'vitest'
import type { SystemDefinition } from '../../definition/definition.ts'
import { expect as expectRig } from '../../index.ts'
import { poll } from '../../poll.ts'
import type { Agent } from '../../rig/agent.ts'
import { test } from '../../rig/fixtures.ts'
import { missingLoad } from '../../rig/required-load.ts'
import type { Resource } from '../../snapshot/snapshot.ts'
import { headless, planned, shellSystem } from '../support/planned.ts'

/** Checks that could find nothing, whatever the system does: each must end without a pass. */
const withSystem = (more: Partial<SystemDefinition>) =>
  test.extend('system', () => planned({ ...shellSystem, ...more }))

withSystem({ kill: { run: 'true' } })(
  'an agent that is gone before its kill proves nothing',
  async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'works' })
    const claude = await agent.claude()
    if (claude) await rig.probe.signal(claude, 'SIGKILL')
    await poll(10_000, async () => ((await agent.claude()) === undefined ? true : undefined))
    await expect(agent.isKilled()).rejects.toThrow(
      /^The claude of agent agent-\d+ was gone before kill was called/,
    )
  },
)

withSystem({ list: { run: 'tmux ls', each: /never (?<id>\S+)/ } })(
  'a list that does not name an agent at work proves nothing',
  async ({ rig }) => {
    await expect(rig.deploy({ persona: 'works' })).rejects.toThrow(
      /^Agent agent-\d+ works, and the system’s list does not name it: list\.each found nothing, and expected one of/,
    )
  },
)

plainTest('a registry that is nowhere proves nothing', () => {
  const registries = [{ name: 'state', path: /\/state\.json$/, agents: '/agents' }]
  const agent = { id: 'x', rig: { definition: planned({ ...shellSystem, registries }) } } as Agent
  const missing = (resources: Resource[]) =>
    missingLoad(agent, { at: 0, resources, ignored: [], problems: [] })
  const registry: Resource = { kind: 'registry', id: 'r', path: '/state.json', name: 'state', agents: [] }
  const sentence = 'state registry (no file’s path matches /\\/state\\.json$/)'
  expect(missing([])).toContain(sentence)
  expect(missing([registry])).not.toContain(sentence)
})

withSystem({
  deploy: {
    run: `tmux -L server-$(date +%s%N) new-session -d -s agent -e PROMPT={prompt} '${headless} "$PROMPT"'; echo id agent`,
    result: /id (?<session>\S+)/,
  },
})('two agents with one name are refused', async ({ rig }) => {
  await rig.deploy({ persona: 'works' })
  await expect(rig.deploy({ persona: 'works' })).rejects.toThrow(
    'The system named two agents agent, and what is left of them could not be told apart: let the result of deploy name an id for each.',
  )
})

const fails = { inside: { run: 'echo nobody listens; exit 3' } }

withSystem({ completes: fails })(
  'a report of completion that fails is red, also where the agent then leaves by itself',
  async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'exits' })
    await agent.reportsCompleted()
    await expect(expectRig(rig).toReturnToBaseline()).rejects.toThrow(
      /completes\.inside failed in agent agent-\d+, so that nobody knows that it completed: exit code 3: nobody listens/,
    )
    expect(rig.verdicts.at(-1)?.result).toBe('pass')
  },
)
