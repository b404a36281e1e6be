import { expect, test } from 'vitest'
import fc from '../../../test/fast-check.ts'
import { checkDefinition } from '../../definition/check.ts'

const source = { folder: '/project', path: ['default'], module: '/project/leakrig.config.ts' }
const mistakes = (definition: unknown, where: Parameters<typeof checkDefinition>[1] = source) => {
  const outcome = checkDefinition(definition, where)
  return 'mistakes' in outcome ? outcome.mistakes : []
}
const deploy = { run: 'start {prompt}' }
const cycle: Record<string, unknown> = {}
cycle.itself = cycle
const thrower = {
  enumerable: true,
  get() {
    throw new Error('boom')
  },
}

const one: [string, unknown, string | RegExp][] = [
  ['no object', 5, 'expected an object, and found 5'],
  ['no name', { deploy }, 'name: is missing; expected a string'],
  ['no deploy', { name: 'x' }, /^deploy: is missing; expected \{ tool \}, \{ run \}/],
  ['an unknown field', { name: 'x', deploy, kil: deploy }, /^unknown field "kil"; there are name, mcp, /],
  [
    'an unknown field of a call',
    { name: 'x', deploy: { run: 'x', timeout: 1 } },
    /^deploy: unknown field "timeout"; there are run, cwd, /,
  ],
  [
    'a wrong type',
    { name: 'x', deploy: { run: 'x', timeoutMs: '3s' } },
    'deploy.timeoutMs: expected a number, and found "3s"',
  ],
  [
    'an unknown placeholder',
    { name: 'x', deploy: { run: 'x {promt}' } },
    /^deploy\.run: unknown placeholder \{promt\}; there are \{work\}, .* and \{\{promt\}\} is the text \{promt\}$/,
  ],
  [
    'a placeholder in quotes',
    { name: 'x', deploy: { run: 'x "{prompt}"' } },
    'deploy.run: {prompt} stands inside quotes, and becomes a quoted word: leave them out',
  ],
  [
    'a value before it is known',
    { name: 'x', deploy: { run: 'x {id}' } },
    /^deploy\.run: unknown placeholder \{id\}/,
  ],
  [
    'the folder of an install step that there is not',
    { name: 'x', deploy: { run: '{install}/start' } },
    /^deploy\.run: unknown placeholder \{install\}/,
  ],
  [
    'a value of another call',
    { name: 'x', deploy, kill: { run: 'x {id} {reason}' }, completes: { inside: { run: 'x {reason}' } } },
    /^completes\.inside\.run: unknown placeholder \{reason\}/,
  ],
  [
    'an exit that is neither true nor a call',
    { name: 'x', deploy, completes: { exit: false } },
    'completes.exit: expected true, or a call that is made after the exit, and found false',
  ],
  [
    'a mistake in the call after an exit',
    { name: 'x', deploy, completes: { exit: { run: 'reap {promt}' } } },
    /^completes\.exit\.run: unknown placeholder \{promt\}; there are .*\{session\}/,
  ],
  [
    'a tool after an exit without a server',
    { name: 'x', deploy, completes: { exit: [{ run: 'x' }, { tool: 'reap' }] } },
    'completes.exit: calls the tool reap, and there is no MCP server: add the field mcp',
  ],
  [
    'two ways to complete by itself',
    { name: 'x', deploy, completes: { inside: { run: 'x' }, exit: true } },
    'completes: expected inside or exit, and found both: an agent that reports its completion may exit afterwards',
  ],
  ['a getter that throws', Object.defineProperty({}, 'name', thrower), 'cannot be read: Error: boom'],
  ['a cycle', { name: 'x', deploy, maxAgents: cycle }, /^maxAgents: expected a number, and found .*Circular/],
  [
    'arguments that are no JSON',
    { name: 'x', mcp: { command: ['x'] }, deploy: { tool: 'x', args: cycle } },
    /^deploy\.args: expected what JSON can express, and found /,
  ],
  [
    'a list without a call',
    { name: 'x', deploy, kill: [] },
    'kill: expected at least one call, and found an empty list',
  ],
  [
    'a pattern that excuses every file',
    { name: 'x', deploy, keeps: [{ path: '', why: 'x' }] },
    'keeps[0].path: expected a regular expression, and found an empty one, which matches everything',
  ],
  [
    'a result with the name of a folder',
    { name: 'x', deploy: { run: 'x', result: { work: '/x' } } },
    'deploy.result: {work} is a folder of the sandbox: choose another name',
  ],
  [
    'a tool without a server',
    { name: 'x', deploy: { tool: 'start' } },
    'deploy: calls the tool start, and there is no MCP server: add the field mcp',
  ],
  [
    'a pointer that is none',
    { name: 'x', deploy: { run: 'x', result: { id: 'agent.id' } } },
    'deploy.result.id: expected a JSON pointer such as "/agent/id", and found "agent.id"',
  ],
  [
    'a pattern without groups',
    { name: 'x', deploy: { run: 'x', result: /x/ } },
    /^deploy\.result: expected a pattern with named groups/,
  ],
  [
    'a pattern that does not parse',
    { name: 'x', deploy, keeps: [{ path: '(', why: 'x' }] },
    /^keeps\[0\]\.path: expected a regular expression: /,
  ],
  ['an unknown class of files', { name: 'x', deploy, files: { promt: 'x' } }, /^files/],
  [
    'a relative log',
    { name: 'x', deploy, logs: { live: 'logs/{id}' } },
    'logs: expected a path that begins with "/" or a placeholder, and found "logs/{id}"',
  ],
  [
    'one log for all',
    { name: 'x', deploy, logs: { live: '/logs/all' } },
    /^logs\.live: expected a placeholder of the agent/,
  ],
  [
    'a relative claude',
    { name: 'x', deploy, claude: { covers: ['bin/claude'] } },
    'claude.covers[0]: expected an absolute path, and found "bin/claude"',
  ],
  [
    'an environment for a tool',
    { name: 'x', mcp: { command: ['x'] }, deploy: { tool: 'x' }, claude: { directives: 'environment' } },
    /^claude\.directives: expected "prompt" or "orders"/,
  ],
  [
    'a wrong kind of tmux',
    { name: 'x', deploy, tmux: true },
    'tmux: expected "session", "pane" or false, and found true',
  ],
]

for (const [what, definition, sentence] of one)
  test(`${what} is one mistake, with the path of its field`, () => {
    expect(mistakes(definition)).toEqual([
      typeof sentence === 'string' ? sentence : expect.stringMatching(sentence),
    ])
  })

test('all mistakes are reported at once', () => {
  const definition = {
    name: 'x',
    deploy: { run: 'x {promt}' },
    kill: { tool: 'stop' },
    completes: { inside: 5 },
  }
  expect(mistakes(definition)).toHaveLength(3)
})

test('a mistake in the shape of one field hides none in another', () => {
  expect(mistakes({ nam: 'x', kill: { run: 'x {promt}' }, tmux: true })).toEqual([
    'name: is missing; expected a string',
    expect.stringMatching(/^tmux: /),
    expect.stringMatching(/^unknown field "nam"/),
    expect.stringMatching(/^deploy: is missing/),
    expect.stringMatching(/^kill\.run: unknown placeholder \{promt\}/),
  ])
})

test('a function needs a module: JSON has none', () => {
  const written = { name: 'x', deploy: () => ({}) }
  expect(mistakes(written, { folder: '/project', path: [] })).toEqual([
    'deploy: a function can only stand in a module, not in JSON: write { module, export }',
  ])
})

test('an exit is the completion by itself, or with calls after it, also in JSON', () => {
  const planned = (exit: unknown) => {
    const written = JSON.parse(JSON.stringify({ name: 'x', deploy, completes: { exit } }))
    return checkDefinition(written, { folder: '/project', path: [] })
  }
  expect(planned(true)).toMatchObject({ system: { exit: [] } })
  expect(planned({ run: 'reap {id}' })).toMatchObject({
    system: { exit: [{ kind: 'shell', run: 'reap {id}' }] },
  })
})

test('what cleans up after a crash may name the agent', () => {
  expect(mistakes({ name: 'x', deploy, recover: { run: 'reap {id} {session}' } })).toEqual([])
})

test('a function is called by the way that leads to it from the module', () => {
  const outcome = checkDefinition(
    { name: 'x', deploy: [{ run: 'x' }, () => ({})] },
    { ...source, path: ['default', 1] },
  )
  expect(outcome).toMatchObject({
    system: { deploy: [{ kind: 'shell' }, { kind: 'function', path: ['default', 1, 'deploy', 1] }] },
  })
})

test('each step of a call knows what the results before it name', () => {
  const steps = [
    { run: 'start {prompt}', result: { team: '/team' } },
    { read: '/state/{team}', result: { pane: '/pane' } },
  ]
  expect(mistakes({ name: 'x', deploy: steps, kill: { run: 'stop {team} {pane}' } })).toEqual([])
  expect(mistakes({ name: 'x', deploy: steps.toReversed() })).toEqual([
    expect.stringMatching(/^deploy\[0\]\.read: unknown placeholder \{team\}/),
  ])
})

test('anything at all is a system or has mistakes in one line each', () => {
  const call = fc.oneof(fc.record({ run: fc.string() }), fc.record({ tool: fc.anything() }), fc.anything())
  const definition = fc.record(
    {
      name: fc.oneof(fc.constant('x'), fc.anything()),
      deploy: call,
      kill: call,
      completes: fc.anything(),
      logs: fc.anything(),
      result: call,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(definition, written => {
      const outcome = checkDefinition(written, source)
      if ('system' in outcome) return JSON.stringify(outcome.system).length > 0
      return (
        outcome.mistakes.length > 0 && outcome.mistakes.every(text => text !== '' && !text.includes('\n'))
      )
    }),
  )
})
