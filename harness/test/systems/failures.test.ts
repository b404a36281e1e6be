import { expect } from 'vitest'
import type { ShellCall, SystemDefinition } from '../../definition/definition.ts'
import { CannotMeasureError } from '../../errors.ts'
import { expect as expectRig } from '../../index.ts'
import { test as sandboxTest, test } from '../../rig/fixtures.ts'
import { Rig } from '../../rig/rig.ts'
import { planned, shellSystem } from '../support/planned.ts'

/** What a system that cannot be measured makes of the rig's first steps. */
async function failureOf(definition: SystemDefinition, sandbox: { probe: Rig['probe'] }): Promise<string> {
  const system = planned(definition)
  await sandbox.probe.reset(system.layout)
  const rig = new Rig(sandbox.probe, (await sandbox.probe.hello()).places, system)
  try {
    await rig.start()
    await rig.deploy({ persona: 'works' })
    return 'it was deployed'
  } catch (error) {
    expect(error).toBeInstanceOf(CannotMeasureError)
    return (error as Error).message
  }
}

const tool = { tool: 'start' }
const server = (run: string) => ({ name: 'x', mcp: { command: ['sh', '-c', run] }, deploy: tool })
const deploy = (run: string, more: object = {}) => ({ name: 'x', deploy: { run, timeoutMs: 1_000, ...more } })

const failures: [string, SystemDefinition, RegExp][] = [
  [
    'exits at once',
    server('echo broken >&2; exit 3'),
    /^The system under test did not start: SdkError: Connection closed\.\nits output:\n {2}\| broken$/,
  ],
  ['prints rubbish and exits', server('echo hello; exit'), /^The system under test did not start: .*/],
  [
    'hangs in a call',
    deploy('echo so far; sleep 600'),
    /^The system did not answer deploy within [\d.]+ s\.\nits output:\n {2}\| \$ echo .*\n {2}\| so far$/,
  ],
  [
    'fails in a call',
    deploy('echo no such agent >&2; exit 4'),
    /^The system answered deploy with a failure: exit code 4: no such agent\.\nits output:\n {2}\| \$ echo no such/,
  ],
  [
    'answers something else',
    deploy('echo surprise', { result: /id (?<id>\d+)/ }),
    /^The system’s answer to deploy does not match \/id .*: surprise\.\n/,
  ],
  [
    'answers without the id',
    deploy(`echo '{"agent":{}}'`, { result: { id: '/agent/id' } }),
    /^The system’s answer to deploy has no text or number for \{id\} at \/agent\/id: /,
  ],
  [
    'reports a failure with exit code 0',
    deploy(`echo '{"success":false,"error":"no room"}'`),
    /^The system answered deploy with a failure: no room\./,
  ],
  [
    'says what a failure is',
    deploy('echo Error: 5', { failedWhen: '^Error' }),
    /^The system answered deploy with a failure: Error: 5\./,
  ],
]

for (const [name, sentence] of [
  ['throwsUnreadable', 'something was thrown that cannot be shown'],
  ['throwsNoString', '[Object: null prototype] {}'],
  ['exits', 'the process of the system’s functions ended (exit code 0)'],
])
  failures.push([
    `has a function that ${name}`,
    { name: 'x', deploy: { module: 'harness/test/fixtures/hostile-module.ts', export: name ?? '' } },
    new RegExp(
      `^The system answered deploy with a failure: ${sentence?.replaceAll(/[[\](){}]/g, '\\$&')}\\.`,
    ),
  ])

for (const [what, definition, sentence] of failures)
  sandboxTest(`a system that ${what} cannot be measured, and is heard`, async ({ sandbox }) => {
    expect(await failureOf(definition, sandbox)).toMatch(sentence)
  })

sandboxTest('a system that kills the probe ends the sandbox, and the rig says so', async ({ sandboxes }) => {
  const sandbox = await sandboxes.take() // it is not given back
  expect(await failureOf(deploy('kill -9 -1'), sandbox)).toMatch(/^The sandbox ended: /)
})

sandboxTest(
  'an agent that never starts claude shows its pane, and what the system wrote',
  async ({ sandbox }) => {
    const run = `tmux new-session -d -s lost 'echo no claude here; sleep 600'; echo deployed lost`
    const message = await failureOf(
      {
        ...shellSystem,
        claude: { startsWithinMs: 3_000 },
        deploy: { run, result: /deployed (?<session>\S+)/ },
      },
      sandbox,
    )
    expect(message).toMatch(
      /^Agent lost did not get ready within [\d.]+ s; its last journal entry is missing\.\n/,
    )
    expect(message).toMatch(/new processes since the baseline: .*sleep/)
    expect(message).toMatch(/pane %0 of session lost shows:\n {2}\| no claude here/)
    expect(message).toMatch(/the output of the system:\n[\s\S]*\| deployed lost/)
  },
)

sandboxTest('the folder of the install step is a value in calls', async ({ sandbox }) => {
  const install = { run: 'true' }
  const system = planned({
    name: 'x',
    install,
    prepare: { run: 'echo {install} >&2; exit 4' },
    deploy: { run: 'x' },
  })
  const { places } = await sandbox.probe.hello()
  const rig = new Rig(sandbox.probe, { ...places, install: '/it is here' }, system)
  await expect(rig.start()).rejects.toThrow('exit code 4: /it is here')
})

const killFails = planned({
  ...shellSystem,
  kill: { run: 'tmux kill-session -t ={session}:; echo too late >&2; exit 1' },
})

test.extend('system', () => killFails)(
  'a kill that fails is red, and what it left is measured all the same',
  async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'works' })
    await agent.isKilled()
    await expect(expectRig(rig).toReturnToBaseline()).rejects.toThrow(
      /were not met:\nThe system answered kill with a failure: exit code 1: too late/,
    )
    expect(rig.verdicts.at(-1)?.result).toBe('pass')
  },
)

/** Speaks just enough MCP, and ends when its tool `stop` is called. */
const endsInKill = planned({
  ...shellSystem,
  mcp: { command: ['{node}', '{project}/harness/test/fixtures/ending-server.ts'] },
  kill: { tool: 'stop' },
})

test.extend('system', () => endsInKill)(
  'a server that ends during a kill is red, and what is left is measured',
  async ({ rig }) => {
    const agent = await rig.deploy({ persona: 'works' })
    await agent.isKilled()
    await expect(expectRig(rig).toReturnToBaseline()).rejects.toThrow(
      /answered kill with a failure: .*closed/,
    )
    expect(rig.verdicts.at(-1)?.leaks.length).toBeGreaterThan(0)
  },
)

const noLog = planned({ ...shellSystem, logs: { live: '{work}/logs/{session}.jsonl' } })

test.extend('system', () => noLog)(
  'a log that is declared and not written is no check that passes',
  async ({ rig }) => {
    await expect(rig.deploy({ persona: 'works' })).rejects.toThrow(
      /works, and there is no \S+\/logs\/agent-\d+\.jsonl \(logs\.live\): the system shell declares/,
    )
  },
)

const staleList = planned({
  ...shellSystem,
  deploy: [shellSystem.deploy as ShellCall, { run: 'mkdir -p {work}/live && touch {work}/live/{session}' }],
  list: { run: 'ls {work}/live', each: /(?<id>\S+)/ },
})

test.extend('system', () => staleList)('an agent that ended and is still listed is red', async ({ rig }) => {
  const agent = await rig.deploy({ persona: 'works' })
  await rig.ignore('the test’s own list', one => one.kind === 'file' && one.path.includes('/live/'))
  await agent.isKilled()
  await expect(expectRig(rig).toReturnToBaseline()).rejects.toThrow(
    `the system lists agent ${agent.id} as live`,
  )
  await rig.probe.run(['rm', `${rig.places.work}/live/${agent.session}`])
})
