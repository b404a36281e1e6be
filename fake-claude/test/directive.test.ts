import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Run } from './support/claude.ts'

test.concurrent.for([
  ['colour=blue', "has 'colour=blue'", 'persona, profile, journal, gate'],
  ['quickly', "has 'quickly'", 'key=value'],
  ['persona=dances', "persona='dances'", 'plain, completes, exits, works, crashes'],
  ['profile=ancient', "profile='ancient'", 'legacy, mid, current'],
  ['events=many', "events='many'", 'a whole number from 0'],
  ['bash=-1', "bash='-1'", 'a whole number from 0'],
  ['signal=SIGNOPE', "signal='SIGNOPE'", 'SIGKILL'],
  ['gate=', "gate=''", 'a path'],
])('refuses %s', async ([words = '', found = '', expected = '']) => {
  await using run = new Run({ directive: words })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toContain(found)
  expect(run.stderr).toContain(expected)
  expect(run.stderr).toContain('the directive in the prompt')
  expect(run.stderr.trim().split('\n')).toHaveLength(1)
  // Nothing was started, nothing was written.
  expect(run.stdout).toBe('')
  expect(readdirSync(run.home)).toEqual([])
})

test.concurrent('refuses the same in the environment, and names it', async () => {
  await using run = new Run({ args: ['-p', 'x'], env: { FAKE_CLAUDE: 'persona=dances' } })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toContain('FAKE_CLAUDE')
})

test.concurrent('the prompt wins over the environment, key by key', async () => {
  await using run = new Run({
    directive: 'profile=legacy',
    env: { FAKE_CLAUDE: 'profile=mid persona=exits bash=0' },
  })
  expect(await run.ended).toBe(0)
  expect(run.journal[0]).toMatchObject({ what: 'started', profile: 'legacy', persona: 'exits' })
})

test.concurrent('values may be quoted', async () => {
  await using run = new Run({ directive: 'persona=exits bash=0 gate="/proc/self/stat"' })
  expect(await run.ended).toBe(0)
  expect(run.journal).toContainEqual(expect.objectContaining({ what: 'gate', path: '/proc/self/stat' }))
})

test.concurrent('a journal that cannot be written is told at once', async () => {
  await using run = new Run({ args: ['-p', '[[fake-claude journal=/nowhere/j]]'] })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toContain("the journal '/nowhere/j' cannot be written")
})
