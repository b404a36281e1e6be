import { expect, test } from 'vitest'
import { McpServer } from '../../probe/mcp-server.ts'
import { SystemOutput } from '../../probe/system-output.ts'

test('a system whose program the sandbox does not show is reported in one sentence', async () => {
  const command = {
    command: process.execPath,
    args: ['/nowhere/server.js'],
    env: {},
    cwd: import.meta.dirname,
  }
  const system = new McpServer(command, new SystemOutput())
  await expect(system.start()).rejects.toThrow(
    /^The system under test did not start: there is no \/nowhere\/server\.js in the sandbox, [^\n]*; put the file below that folder, or mount it\.$/,
  )
})
