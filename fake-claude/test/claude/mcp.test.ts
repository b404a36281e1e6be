import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dirSync } from 'tmp-promise'
import { expect, test } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { Run } from '../support/claude.ts'

const fixture = testProgram('mcp-server')

test.concurrent('calls the tools of the server that offers them', async () => {
  await using run = new Run({ directive: 'persona=exits', mcp: { other: 'bare', rig: '' } })
  expect(await run.ended).toBe(0)
  expect(run.lines[0]).toMatchObject({
    mcp_servers: [
      { name: 'other', status: 'connected', source: 'dynamic' },
      { name: 'rig', status: 'connected', source: 'dynamic' },
    ],
    tools: expect.arrayContaining(['mcp__other__unrelated', 'mcp__rig__update_agent_progress']),
  })
  const calls = run.journal.filter(entry => entry.what === 'call')
  const ids = { task_id: 'T-1', agent_id: 'a-1' }
  expect(calls).toMatchObject([
    { tool: 'update_agent_progress', arguments: { ...ids, status: 'working', message: expect.any(String) } },
    { tool: 'report_agent_finding', arguments: { ...ids, severity: 'low', data: expect.any(Object) } },
    { tool: 'update_agent_progress', arguments: { ...ids, status: 'completed', progress: 100 } },
  ])
  const uses = run.lines
    .flatMap(({ message }) => message?.content ?? [])
    .filter(block => block.type === 'tool_use')
  expect(uses.map(use => use.name)).toEqual([
    'mcp__rig__update_agent_progress',
    'Bash',
    'mcp__rig__report_agent_finding',
    'mcp__rig__update_agent_progress',
  ])
})

test.concurrent('where no server offers them, it prints that and goes on', async () => {
  await using run = new Run({ directive: 'persona=exits', mcp: { other: 'bare' } })
  expect(await run.ended).toBe(0)
  expect(run.stdout).toContain('No MCP server offers update_agent_progress')
  expect(run.order.at(-1)).toBe('result/success')
})

test.concurrent('a server that dies during a call is an error in the answer', async () => {
  await using run = new Run({ directive: 'persona=exits', mcp: { rig: 'fragile' } })
  expect(await run.ended).toBe(0)
  expect(run.journal.filter(entry => entry.what === 'answer')).toMatchObject(
    Array(3).fill({ is_error: true }),
  )
  expect(run.order.at(-1)).toBe('result/success')
})

test.concurrent('a server that never answers delays the init line, then is failed', async () => {
  await using run = new Run({ directive: '', mcp: { rig: 'mute' }, env: { MCP_TIMEOUT: '700' } })
  expect(await run.ended).toBe(0)
  expect(run.lines[0]).toMatchObject({ mcp_servers: [{ name: 'rig', status: 'failed' }] })
  const [started, , init] = run.journal
  expect(init?.what).toBe('event')
  expect((init?.t ?? 0) - (started?.t ?? 0)).toBeGreaterThanOrEqual(690)
})

test.concurrent('a missing command is failed, too', async () => {
  const mcpServers = { rig: { command: '/nowhere/server' }, web: { type: 'http', url: 'http://localhost' } }
  const args = [
    '--verbose',
    '--output-format',
    'stream-json',
    '-p',
    'x',
    '--mcp-config',
    JSON.stringify({ mcpServers }),
  ]
  await using run = new Run({ args })
  expect(await run.ended).toBe(0)
  expect(run.lines[0]?.mcp_servers.map((server: { status: string }) => server.status)).toEqual([
    'failed',
    'failed',
  ])
})

test.concurrent('.mcp.json and files are read; --strict-mcp-config leaves .mcp.json out', async () => {
  const folder = dirSync({ prefix: 'fake-claude' }).name
  mkdirSync(join(folder, 'work'))
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: claude fills them in, not JavaScript.
  const config = { mcpServers: { project: { command: '${RUNTIME}', args: [`\${NO_SUCH:-${fixture}}`] } } }
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: -
  writeFileSync(join(folder, 'work/.mcp.json'), JSON.stringify(config))
  writeFileSync(join(folder, 'file.json'), '{"mcpServers": {"file": {"command": "/nowhere/server"}}}')
  const args = [
    '--verbose',
    '--output-format',
    'stream-json',
    '-p',
    'x',
    '--mcp-config',
    join(folder, 'file.json'),
  ]
  const env = { RUNTIME: process.execPath }
  const loose = new Run({ args, folder, env })
  expect(await loose.ended).toBe(0)
  expect(loose.lines[0]?.mcp_servers).toEqual([
    { name: 'project', status: 'connected', source: 'project' },
    { name: 'file', status: 'failed', source: 'dynamic' },
  ])
  await using strict = new Run({ args: [...args, '--strict-mcp-config'], folder, env })
  expect(await strict.ended).toBe(0)
  expect(strict.lines[0]?.mcp_servers.map((server: { name: string }) => server.name)).toEqual(['file'])
})
