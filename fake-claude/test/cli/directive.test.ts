import { execFileSync } from 'node:child_process'
import { readdirSync, symlinkSync } from 'node:fs'
import { dirSync } from 'tmp-promise'
import { expect, test } from 'vitest'
import { Run } from '../support/claude.ts'

test.concurrent.for([
  ['colour=blue', "has 'colour=blue'", 'persona, profile, journal, gate'],
  ['quickly', "has 'quickly'", 'key=value'],
  ['persona=dances', "persona='dances'", 'plain, completes, exits, works, crashes, idles, talks'],
  ['profile=ancient', "profile='ancient'", 'legacy, mid, current'],
  ['events=many', "events='many'", 'a whole number from 0'],
  ['bash=-1', "bash='-1'", 'a whole number from 0'],
  ['signal=SIGNOPE', "signal='SIGNOPE'", 'SIGKILL'],
  ['gate=', "gate=''", 'a path'],
  ['shape=leaks', "shape='leaks'", 'own-session, daemon, bare-daemon'],
  ['shape=daemon+', "shape='daemon+'", 'names joined with +'],
  ['shape=daemon+busy+daemon', "shape='daemon+busy+daemon'", 'not daemon twice'],
  ['shape=job-control+daemon', "shape='job-control+daemon'", 'one placement for the child'],
  ['children=51', "children='51'", 'a whole number from 1 to 50'],
  ['after_ms=60001', "after_ms='60001'", 'a whole number from 0 to 60000'],
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

test.concurrent.for([
  ['persona=works children=2', 'children is given without a shape'],
  ['persona=works after_ms=0', 'after_ms is given without a shape'],
  ['persona=works resist_ms=5', 'resist_ms is given without a shape'],
  ['shape=daemon', 'persona plain'],
  ['persona=works shape=daemon+busy resist_ms=5', 'nothing of the shape resists'],
  ['persona=works shape=tmux-job', 'TMUX is not set'],
])('refuses the contradiction in %s', async ([words = '', expected = '']) => {
  await using run = new Run({ directive: words })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toContain(expected)
  expect(run.stderr.trim().split('\n')).toHaveLength(1)
  expect(readdirSync(run.home)).toEqual([])
})

test.concurrent('refuses a shape that needs a missing tool', async () => {
  const tools = dirSync({ prefix: 'fake-claude', unsafeCleanup: true })
  for (const tool of ['bash', 'realpath'])
    symlinkSync(
      execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(),
      `${tools.name}/${tool}`,
    )
  await using run = new Run({ directive: 'persona=works shape=daemon', env: { PATH: tools.name } })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toBe('fake-claude: the shape needs sh, and there is none on the PATH.\n')
  tools.removeCallback()
})

test.concurrent('refuses the same in the environment, and names it', async () => {
  const env = { FAKE_CLAUDE_DIRECTIVE: '[[fake-claude persona=dances]]' }
  await using run = new Run({ args: ['-p', 'x'], env })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toContain('FAKE_CLAUDE_DIRECTIVE')
})

test.concurrent('a directive in the prompt wins over one in the environment', async () => {
  const env = { FAKE_CLAUDE_DIRECTIVE: '[[fake-claude profile=mid persona=works]]' }
  await using run = new Run({ directive: 'profile=legacy', env })
  expect(await run.ended).toBe(0)
  expect(run.journal[0]).toMatchObject({ profile: 'legacy', persona: 'plain', directive: 'prompt' })
})

test.concurrent('values may be quoted', async () => {
  await using run = new Run({ directive: 'persona=exits bash=0 gate="/proc/self/stat"' })
  expect(await run.ended).toBe(0)
  expect(run.journal).toContainEqual(expect.objectContaining({ what: 'gate', path: '/proc/self/stat' }))
})

test.concurrent('a journal that cannot be written is reported at once', async () => {
  await using run = new Run({ args: ['-p', '[[fake-claude journal=/nowhere/j]]'] })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toContain("the journal '/nowhere/j' cannot be written")
})
