import { join } from 'node:path'
import { execa } from 'execa'
import { expect, test } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'

needsNamespaces()

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')

test('the evidence of the report, and what the cleanup makes of it', {
  tags: ['long'],
  timeout: 900_000,
}, async () => {
  const { stdout, exitCode } = await execa(process.execPath, [
    program,
    'reproduce',
    'report',
    '--sandbox',
    'namespace',
  ])
  expect(
    stdout.match(/^(active tmux sessions|claude processes|agent prompt files|JSONL stream logs) .*/gm),
  ).toEqual([
    'active tmux sessions               4             4',
    'claude processes                  54            54',
    'agent prompt files                78            78',
    'JSONL stream logs                 38            38',
    expect.stringMatching(/^claude processes +0 +\d+ +54$/),
    'active tmux sessions               4             4             0',
    'claude processes                  54            54             0',
    'agent prompt files                78            78             0',
    'JSONL stream logs                 38            38             0',
  ])
  expect(stdout).toMatch(/ and 40 of \d+ cleanups not finished\nThose are of the agents whose logs /)
  expect(stdout).toMatch(
    /\nNothing is left on this machine: the sandbox is gone, and so are the \d+ processes seen in it\.$/,
  )
  expect(exitCode).toBe(0)
})
