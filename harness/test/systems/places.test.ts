import { expect } from 'vitest'
import { expect as expectRig } from '../../index.ts'
import { test } from '../../rig/fixtures.ts'
import { headless, planned, shellSystem } from '../support/planned.ts'

const withoutAnswer = planned({
  ...shellSystem,
  deploy: { run: `tmux new-session -d -e PROMPT={prompt} '${headless} "$PROMPT"'` },
})

test.extend('system', () => withoutAnswer)(
  'what an answer does not name is found by its claude',
  async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'works' })
    expect(agent.values).toMatchObject({
      session: '0',
      pane: '%0',
      socket: expect.stringContaining('/default'),
      pid: expect.stringMatching(/^\d+$/),
    })
    await agent.isKilled()
    await expectRig(rig).toReturnToBaseline()
  },
)

/** The pane is split off a session that the system shares between its agents. */
const shared = planned({
  name: 'shared',
  tmux: 'pane',
  prepare: { run: 'tmux new-session -d -s all sleep infinity' },
  deploy: {
    run: `tmux split-window -d -P -F '#{{pane_id}}' -t =all: -e PROMPT={prompt} '${headless} "$PROMPT"'; tmux select-layout -t =all: tiled`,
    result: /(?<pane>%\d+)/,
  },
  kill: { run: 'tmux kill-pane -t {pane}' },
})

test.extend('system', () => shared)(
  'agents that share a session are told apart by their panes',
  async ({ rig }) => {
    const [one, other] = [
      await rig.deploy({ persona: 'works' }),
      await rig.deploy({ persona: 'works', shape: 'own-session' }),
    ]
    await other.stays()
    await one.isKilled()
    await expectRig(rig).toReturnToBaseline()
  },
)

test.extend('system', () => shared)(
  'what an agent in a shared session leaves is found, and is its own',
  async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'works', shape: 'own-session' })
    await agent.isKilled()
    const { result, leaks } = await rig.settle({ deadlineMs: 15_000, restMs: 5_000, samples: 3 })
    expect(result).toBe('leak')
    expect(leaks.map(({ owner }) => owner?.agent)).toEqual(leaks.map(() => agent.id))
  },
)

test.extend('system', () =>
  planned({
    ...shellSystem,
    tmux: 'pane',
    deploy: {
      run: `tmux split-window -d -t =my-work: -e PROMPT={prompt} '${headless} "$PROMPT"'`,
    },
    kill: { run: 'tmux kill-pane -t {pane}' },
  }),
)('an agent that is deployed into a bystander’s session is a finding', async ({ rig, bystanders }) => {
  await bystanders.tmuxSession('my-work')
  const agent = await rig.deploy({ persona: 'works' })
  await agent.isKilled()
  const { result, collateral } = await rig.settle()
  expect(result).toBe('collateral')
  expect(collateral.map(({ what }) => what)).toEqual([
    expect.stringMatching(/^tmux session my-work .*, into which agent .* was deployed$/),
  ])
})

test.extend('system', () =>
  planned({
    ...shellSystem,
    deploy: {
      run: `tmux -S {work}/own.sock new-session -d -s mine -e PROMPT={prompt} '${headless} "$PROMPT"'`,
    },
    kill: { run: 'tmux -S {socket} kill-session -t ={session}:' },
    keeps: [{ path: /own\.sock$/, why: 'a socket' }],
  }),
)('an agent may live on a server of its own', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  expect(agent.values.socket).toBe(`${rig.places.work}/own.sock`)
  await agent.isKilled()
  await expectRig(rig).toReturnToBaseline()
})

const module = 'harness/test/fixtures/piped-claudes.ts'
const piped = planned({
  name: 'piped',
  tmux: false,
  deploy: { module, export: 'deploy' },
  kill: { module, export: 'kill' },
})

test.extend('system', () => piped)(
  'a system holds pipes for an agent that stays, and none for one that ended',
  async ({ rig }) => {
    const one = await rig.deploy({ persona: 'works' })
    const other = await rig.deploy({ persona: 'works' })
    await other.stays()
    await one.isKilled()
    await expectRig(rig).toReturnToBaseline()
  },
)

/** Neither its prompt nor its environment reaches claude, and its answer says only a number. */
const orders = planned({
  name: 'orders',
  tmux: false,
  claude: { directives: 'orders', onStart: 'echo shaken >>{work}/hands' },
  deploy: {
    run: `env -i bash --login -c "claude --print --dangerously-skip-permissions 'Do something.'" >/dev/null 2>&1 & echo "$!"`,
    result: /(?<job>\d+)/,
  },
  kill: { run: 'kill {pid}' },
})

test.extend('system', () => orders)(
  'a claude without tmux claims an order, and does what it does on start',
  async ({ rig }) => {
    const agents = await Promise.all([rig.deploy({ persona: 'works' }), rig.deploy({ persona: 'works' })])
    expect(new Set(agents.map(({ values }) => values.pid)).size).toBe(2)
    expect(await rig.probe.read(`${rig.places.work}/hands`)).toBe('shaken\nshaken\n')
    for (const agent of agents) await agent.isKilled()
    await expectRig(rig).not.toReturnToBaseline() // the file with the hands
    expect(rig.verdicts.at(-1)?.leaks.map(({ what }) => what)).toEqual([expect.stringContaining('hands')])
  },
)

test.extend('system', () =>
  planned({
    ...shellSystem,
    claude: { directives: 'environment' },
    deploy: {
      run: `${headless} 'Do something.' >/dev/null 2>&1 &`,
    },
    tmux: false,
    kill: { run: 'kill {pid}' },
  }),
)('a directive may come from the environment of the deploy', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  await agent.isKilled()
  await expectRig(rig).toReturnToBaseline()
})
