import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Run } from '../support/claude.ts'

test.concurrent('while it runs: the record, its key, the snapshot, the socket, the output', async () => {
  await using run = new Run({ directive: 'persona=works' })
  await run.noted('idle')
  const record = JSON.parse(readFileSync(join(run.home, `.claude/sessions/${run.pid}.json`), 'utf8'))
  expect(record).toMatchObject({
    pid: run.pid,
    sessionId: await run.session(),
    cwd: run.cwd,
    version: '2.1.330',
    startedAt: expect.any(Number),
  })
  expect(
    run
      .temporaryFiles()
      .map(file => file.replace(/\d+|[0-9a-f]{6,}/g, 'N'))
      .sort(),
  ).toEqual([
    expect.stringMatching(/^home\/\.claude\/sessions\/.*\.key$/),
    expect.stringMatching(/^home\/\.claude\/sessions\/.*\.json$/),
    expect.stringMatching(/^home\/\.claude\/shell-snapshots\/snapshot-bash-.*\.sh$/),
    't/cc-socks/N.sock',
    expect.stringMatching(/^t\/claude-.*\/tasks\/.*\.output$/),
  ])
})

test.concurrent('after a clean exit: what belongs to the home, and nothing that names the pid', async () => {
  await using run = new Run({ directive: 'persona=exits', mcp: { rig: '' } })
  expect(await run.ended).toBe(0)
  expect(run.temporaryFiles()).toEqual([])
  const session = run.lines[0]?.session_id
  const slug = run.cwd.replaceAll(/[^A-Za-z0-9]/g, '-')
  const transcript = readFileSync(join(run.home, '.claude/projects', slug, `${session}.jsonl`), 'utf8')
  const lines = transcript
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(lines.map(line => line.type)).toEqual(
    run.lines.map(line => line.type).filter(type => /user|assistant/.test(type)),
  )
  expect(existsSync(join(run.home, '.claude.json'))).toBe(true)
  expect(existsSync(join(run.home, '.claude/session-env', session))).toBe(true)
  expect(readdirSync(join(run.home, '.cache/claude-cli-nodejs', slug, 'mcp-logs-rig'))).toHaveLength(1)
  const temporary = join(run.temporary, `claude-${process.getuid?.()}`, slug, session)
  expect(readdirSync(temporary).sort()).toEqual(['started', 'tasks'])
  expect(readdirSync(join(temporary, 'tasks'))).toEqual([])

  // The next start keeps a backup of what all sessions share.
  await using again = new Run({ folder: run.folder, args: ['-p', 'x'] })
  await again.ended
  expect(JSON.parse(readFileSync(join(run.home, '.claude.json'), 'utf8'))).toEqual({ numStartups: 2 })
  expect(existsSync(join(run.home, '.claude.json.backup'))).toBe(true)
})

test.concurrent('the output of a background task stays', async () => {
  await using run = new Run({ directive: 'persona=completes' })
  await run.noted('idle')
  expect(await run.signal('SIGTERM')).toBe(143)
  expect(run.temporaryFiles()).toEqual([expect.stringMatching(/\.output$/)])
})

test.concurrent('after SIGKILL: everything', async () => {
  await using run = new Run({ directive: 'persona=crashes' })
  expect(await run.ended).toBe('SIGKILL')
  expect(run.temporaryFiles()).toHaveLength(5)
})
