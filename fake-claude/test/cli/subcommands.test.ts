import { expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { Run, stream } from '../support/claude.ts'

const server = testProgram('mcp-server')

test.concurrent.for([
  [['mcp', 'list'], 0, 'No MCP servers configured'],
  [['mcp', 'get', 'x'], 1, 'No MCP server named "x"'],
  [['mcp', 'frob'], 1, "unknown command 'frob'"],
  [['mcp', 'add-json', 'y', '{}'], 1, 'Invalid configuration'],
  [['config', 'get', 'theme'], 0, '/config'],
  [['doctor'], 0, 'No installation issues'],
  [['update'], 1, 'Current version: 2.1.330'],
  [['auth', 'status'], 1, '"loggedIn": false'],
  [['-v'], 0, '2.1.330 (Claude Code)'],
  [['--help'], 0, 'Usage: claude'],
] as [string[], number, string][])('%j ends with %i', async ([args, code, says]) => {
  await using run = new Run({ args, env: { FAKE_CLAUDE_DIRECTIVE: '[[fake-claude persona=plain]]' } })
  expect(await run.ended).toBe(code)
  expect(run.stdout + run.stderr).toContain(says)
})

test.concurrent('a server that was added is listed, checked, used by a session, and removed', async () => {
  // Each run removes the folder when it is disposed of.
  await using runs = new AsyncDisposableStack()
  const added = runs.use(
    new Run({ args: ['mcp', 'add', 'rig', '-e', 'A=b', '--', process.execPath, server] }),
  )
  expect(await added.ended).toBe(0)
  const next = { folder: added.folder }
  const ended = async (...args: string[]) => {
    const run = runs.use(new Run({ ...next, args }))
    await run.ended
    return run.stdout + run.stderr
  }
  expect(await ended('mcp', 'list')).toContain('✔ Connected')
  expect(await ended('mcp', 'get', 'rig')).toMatch(/Scope: local\n {2}Status: ✔ Connected/)
  expect(await ended(...stream, 'hello')).toContain('"name":"rig","status":"connected"')
  expect(await ended('mcp', 'remove', 'rig')).toContain('Removed MCP server "rig"')
  expect(await ended('mcp', 'list')).toContain('No MCP servers configured')
})
