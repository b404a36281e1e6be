import { expect, test } from 'vitest'
import { needs } from '../../../test/needs.ts'
import { Run } from '../support/claude.ts'

const accepted = [
  '--dangerously-skip-permissions',
  '--permission-mode plan',
  '--model claude-sonnet-5',
  '--strict-mcp-config',
  '--session-id 11111111-2222-4333-8444-555555555555',
  '--include-partial-messages',
  '--allowedTools Bash Edit',
  '--disallowedTools WebFetch',
  '--append-system-prompt terse',
  '--add-dir /tmp',
  '--settings {}',
  '--agents {}',
  '--max-turns 3',
  '--allow-dangerously-skip-permissions',
  '--fallback-model sonnet',
  '--fork-session',
  '--include-hook-events',
  '--replay-user-messages',
  '--setting-sources user,project',
  '--system-prompt terse',
  '--permission-prompt-tool mcp__x__y',
  '--debug',
  '--effort high',
  '--tools Bash',
]

test.concurrent('accepts the flags of the real one', async () => {
  const args = ['-p', 'hello', '--output-format=stream-json', '--input-format=text', '--verbose']
  await using run = new Run({
    args: [...args, ...accepted.flatMap(flag => flag.split(' '))],
    env: { IS_SANDBOX: '1' },
  })
  expect(await run.ended).toBe(0)
  expect(run.stderr).toBe('')
  expect(run.lines[0]).toMatchObject({
    model: 'claude-sonnet-5',
    session_id: '11111111-2222-4333-8444-555555555555',
    permissionMode: 'bypassPermissions',
  })
})

test.concurrent.for([
  [['-p', 'x', '--frobnicate'], "error: unknown option '--frobnicate'"],
  [['-p', 'x', '--output-format', 'xml'], 'text, json, stream-json'],
  [['-p', 'x', '--output-format', 'stream-json'], '--verbose'],
  [['-p', 'x', '--input-format', 'stream-json'], '--output-format=stream-json'],
  [['-p', 'x', '--session-id', 'seven'], 'UUID'],
  [['-p', 'x', '--mcp-config', '/nowhere.json'], 'not found: /nowhere.json'],
  [['-p', 'x', '--mcp-config', '{"mcpServers": 1}'], 'Invalid MCP configuration'],
  [['-p', 'x', '--resume', '11111111-2222-4333-8444-555555555555'], 'No conversation found'],
  [['-p', 'x', '--continue'], 'No conversation found'],
  [['-p', 'x', '--model'], 'argument missing'],
  [['-p'], 'prompt'],
] as [string[], string][])('refuses %j', async ([args, says]) => {
  await using run = new Run({ args })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toContain(says)
  expect(run.stdout).toBe('')
})

test.concurrent('refuses --dangerously-skip-permissions as root outside a sandbox', async () => {
  needs('root rights', process.getuid?.() === 0)
  await using run = new Run({ args: ['-p', 'x', '--dangerously-skip-permissions'] })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toContain('IS_SANDBOX=1')
})

test.concurrent.for([
  ['', '2.1.330'],
  ['[[fake-claude profile=mid]]', '2.1.200'],
  ['[[fake-claude profile=legacy]]', '2.0.76'],
])('--version, with %j, is %s', async ([directive = '', version]) => {
  await using run = new Run({ args: ['--version'], env: { FAKE_CLAUDE_DIRECTIVE: directive } })
  expect(await run.ended).toBe(0)
  expect(run.stdout).toBe(`${version} (Claude Code)\n`)
})

test.concurrent('--mcp-config swallows a prompt behind it, and -- ends it', async () => {
  const config = '{"mcpServers": {}}'
  await using swallowed = new Run({ args: ['-p', '--mcp-config', config, 'hello'] })
  await using ended = new Run({ args: ['-p', '--mcp-config', config, '--', 'hello'] })
  expect(await swallowed.ended).toBe(1)
  expect(swallowed.stderr).toContain('hello')
  expect(await ended.ended).toBe(0)
})

test.concurrent('--resume and --continue go on with a session of this folder', async () => {
  await using first = new Run({ args: ['-p', 'one', '--output-format', 'json'] })
  await first.ended
  const { session_id } = JSON.parse(first.stdout)
  const next = { folder: first.folder }
  await using resumed = new Run({
    ...next,
    args: ['-p', 'two', '--output-format', 'json', '--resume', session_id],
  })
  await resumed.ended
  await using continued = new Run({ ...next, args: ['-c', '-p', 'three', '--output-format', 'json'] })
  await continued.ended
  expect(JSON.parse(resumed.stdout).session_id).toBe(session_id)
  expect(JSON.parse(continued.stdout).session_id).toBe(session_id)
})
