/** @module-tag tools */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needs } from '../../../test/needs.ts'

const server = `
from fastmcp import FastMCP
mcp = FastMCP("A server")

@mcp.tool
def add(one: int, other: int = 1):
    """Adds."""
    return {"sum": one + other}

@mcp.tool()
def twice(one):
    return str(add.fn(one, one)["sum"])

@mcp.resource("a://b")
def resource():
    return ""

mcp.run()
`

test('what stands in for fastmcp answers a client of MCP: tools, results, errors', async () => {
  needs('python3', spawnSync('python3', ['-c', '']).status === 0)
  const client = new Client({ name: 'test', version: '1' })
  const env = {
    PATH: process.env.PATH ?? '',
    PYTHONPATH: join(projectRoot, 'examples/report/stand-in'),
    PYTHONDONTWRITEBYTECODE: '1',
  }
  await client.connect(
    new StdioClientTransport({ command: 'python3', args: ['-c', server], env, stderr: 'ignore' }),
  )
  try {
    const { tools } = await client.listTools()
    expect(tools).toEqual([
      {
        name: 'add',
        description: 'Adds.',
        inputSchema: { type: 'object', properties: { one: {}, other: {} }, required: ['one'] },
      },
      {
        name: 'twice',
        description: '',
        inputSchema: { type: 'object', properties: { one: {} }, required: ['one'] },
      },
    ])
    const call = (name: string, given: Record<string, unknown>) => client.callTool({ name, arguments: given })
    expect(await call('add', { one: 2 })).toMatchObject({
      content: [{ type: 'text', text: '{"sum": 3}' }],
      structuredContent: { sum: 3 },
    })
    expect(await call('twice', { one: 2 })).toMatchObject({ content: [{ type: 'text', text: '4' }] })
    expect(await call('add', {})).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: expect.stringMatching(/^TypeError: .*'one'/) }],
    })
    await client.ping()
  } finally {
    await client.close()
  }
})
