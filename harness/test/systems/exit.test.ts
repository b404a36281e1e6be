import { expect, test as plainTest } from 'vitest'
import type { SystemDefinition } from '../../definition/definition.ts'
import { expect as expectRig } from '../../index.ts'
import { test } from '../../rig/fixtures.ts'
import { leftOutBecause } from '../../rig/needs.ts'
import { headless, planned, shellSystem } from '../support/planned.ts'

/** A system whose agents have completed when their claude exits. The pane runs this, with the prompt in $PROMPT. */
const paneThatRuns = (command: string, more: Partial<SystemDefinition> = {}) =>
  test.extend('system', () =>
    planned({
      ...shellSystem,
      deploy: {
        run: `id=agent-$(date +%s%N); tmux new-session -d -s "$id" -e PROMPT={prompt} '${command}'; echo "id $id"`,
        result: /id (?<session>\S+)/,
      },
      completes: { exit: true },
      ...more,
    }),
  )

const claude = `${headless} "$PROMPT"`
const staysOpen = `${claude}; exec sleep 86400`

paneThatRuns(claude)('a session that ends with its claude is clean', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'exits' })
  await agent.completes()
  await expectRig(rig).toReturnToBaseline()
  expect((await agent.journal()).at(-1)).toMatchObject({ what: 'ended', code: 0 })
})

paneThatRuns(claude)('an exit some seconds after the result is waited for', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'completes', profile: 'mid' })
  await agent.completes()
  expect((await agent.journal()).at(-1)).toMatchObject({ what: 'ended', code: 0 })
  await expectRig(rig).toReturnToBaseline()
})

paneThatRuns(staysOpen)('a session that outlives its claude is a leak', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'exits' })
  await agent.completes()
  await expect(expectRig(rig).toReturnToBaseline()).rejects.toThrow(/did not/)
  const kinds = rig.verdicts.at(-1)?.leaks.map(({ kind, owner }) => `${kind} of ${owner?.agent}`)
  expect(kinds).toEqual(expect.arrayContaining([`session of ${agent.id}`, `pane of ${agent.id}`]))
})

const reaped = { exit: { run: 'tmux kill-session -t ={session}: && echo {session} >>reaped' } }

paneThatRuns(staysOpen, { completes: reaped, keeps: [{ path: /\/reaped$/, why: 'the test reads it' }] })(
  'the call after an exit is made once for each agent, and cleans up',
  async ({ rig }) => {
    const agents = await Promise.all([rig.deploy({ persona: 'exits' }), rig.deploy({ persona: 'exits' })])
    await Promise.all(agents.map(agent => agent.completes()))
    await expectRig(rig).toReturnToBaseline()
    const names = (await rig.probe.read(`${rig.places.work}/reaped`))?.trim().split('\n')
    expect(names?.sort()).toEqual(agents.map(({ session }) => session).sort())
  },
)

paneThatRuns(claude, { completes: { exit: { run: 'echo no such agent; exit 4' } } })(
  'a call after an exit that fails is red',
  async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'exits' })
    await agent.completes()
    await expect(expectRig(rig).toReturnToBaseline()).rejects.toThrow(
      /The system answered completes\.exit with a failure: exit code 4: no such agent/,
    )
  },
)

const hostile = { module: 'harness/test/fixtures/hostile-module.ts', export: 'throwsUnreadable' }

paneThatRuns(claude, { completes: { exit: hostile } })(
  'a function after an exit is called',
  async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'exits' })
    await agent.completes()
    expect(rig.failures).toEqual([
      expect.stringMatching(/^The system answered completes\.exit with a failure: something was thrown/),
    ])
  },
)

// On a busy machine, its limit takes up to ten times as long.
paneThatRuns('claude "$PROMPT"')(
  'a claude that never exits proves nothing',
  { timeout: 240_000 },
  async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'exits' })
    await expect(agent.completes()).rejects.toThrow(
      /^Agent agent-\d+ did not complete\. Its claude printed its result and did not exit within [\d.]+ s: completes\.exit is for one that exits by itself \(claude --print\), and one at a prompt waits there\./,
    )
  },
)

paneThatRuns(`${claude} | head -1; exec sleep 86400`)(
  'a claude whose result nobody takes proves nothing',
  async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'exits' })
    await expect(agent.completes()).rejects.toThrow(
      /^Agent agent-\d+ did not complete\. Its claude ended, and nothing had taken its result\./,
    )
  },
)

paneThatRuns(claude)('a claude that crashes proves nothing', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'crashes' })
  await expect(agent.completes()).rejects.toThrow(/Its claude ended, and nothing had taken its result\./)
})

const recover = { run: 'echo {session} >>recovered' }

paneThatRuns(claude, { recover, completes: {} })(
  'what cleans up after a crash is called for each agent, by its name',
  async ({ rig }) => {
    const [midLine, killed] = await Promise.all([
      rig.deploy({ persona: 'crashes' }),
      rig.deploy({ persona: 'works' }),
    ])
    const recovered = async () => (await rig.probe.read(`${rig.places.work}/recovered`))?.trim().split('\n')
    await midLine.crashesByItself()
    expect(await recovered()).toEqual([midLine.session])
    await killed.losesItsClaude()
    expect(await recovered()).toEqual([midLine.session, killed.session])
  },
)

plainTest('a system completes inside or by its exit, or the scenario is left out', () => {
  const because = (completes: SystemDefinition['completes'] = {}) =>
    leftOutBecause(planned({ ...shellSystem, completes }), ['completion'])
  expect(because()).toBe('left out: the system shell declares no completes.inside and no completes.exit')
  expect(because({ outside: { run: 'true' } })).toMatch(/^left out/)
  expect(because({ inside: { run: 'true' } })).toBeUndefined()
  expect(because({ exit: true })).toBeUndefined()
})
