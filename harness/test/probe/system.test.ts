import { expect, test } from 'vitest'
import { System } from '../../probe/system.ts'

test('a system whose program the sandbox does not show is reported in one sentence', async () => {
  const system = new System({
    command: process.execPath,
    args: ['/nowhere/server.js'],
    env: {},
    cwd: import.meta.dirname,
  })
  await expect(system.start()).rejects.toThrow(
    /^The system under test did not start: there is no \/nowhere\/server\.js in the sandbox, [^\n]*; put the file below that folder\.$/,
  )
})
