import { readFileSync, readlinkSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Run } from '../support/claude.ts'
import { childrenOf, cmdline, environment, facts, inSession, openFiles, status } from '../support/proc.ts'
import { until } from '../support/until.ts'

// While Node runs (at the gate) and after the shell has replaced it (idle): the rig must see no difference.
const states = [
  [
    'Node',
    'persona=crashes gate=/nowhere/but/here'.replace('/nowhere/but/here', '/tmp/never-made-by-fake-claude'),
    'child',
  ],
  ['idle', 'persona=works', 'idle'],
] as const

test.concurrent.for(states)('claude and its children, as %s', async ([state, directive, reached]) => {
  await using run = new Run({ directive, mcp: { rig: '' } })
  await run.noted(reached)
  const bash = await until('the Bash tool runs', () => run.children('bash')[0])
  const [mcp = 0] = run.children('mcp')
  const claude = facts(run.pid)
  await until('the Bash tool has its command', () => childrenOf(bash)[0]?.comm === 'sleep')

  expect(claude).toMatchObject({ comm: 'claude', ppid: process.pid })
  expect(cmdline(run.pid).join(' ')).toContain('--output-format stream-json')
  expect(cmdline(run.pid)[0]).toBe('claude')
  const { pgid, sid, tty } = claude ?? {}
  expect(facts(mcp)).toMatchObject({ ppid: run.pid, pgid, sid, tty })
  expect(facts(bash)).toMatchObject({ ppid: run.pid, pgid: bash, sid: bash, tty: 0, comm: 'bash' })
  expect(childrenOf(bash)).toMatchObject([{ comm: 'sleep', sid: bash }])
  expect(cmdline(bash)).toEqual([
    '/bin/bash',
    '-c',
    expect.stringMatching(/^source '.*\/shell-snapshots\/snapshot-bash-.*\.sh' && eval 'sleep \d+'$/),
  ])
  for (const fd of [0, 1, 2]) expect(readlinkSync(`/proc/${mcp}/fd/${fd}`)).toMatch(/^socket:/)
  expect(readlinkSync(`/proc/${bash}/fd/0`)).toBe('/dev/null')
  for (const fd of [1, 2]) expect(readlinkSync(`/proc/${bash}/fd/${fd}`)).toMatch(/\/tasks\/\w+\.output$/)
  // PIPE is ignored.
  expect(Number.parseInt(status(run.pid, 'SigIgn'), 16) & (1 << 12)).not.toBe(0)
  const others = () => childrenOf(run.pid).filter(({ pid }) => pid !== mcp && pid !== bash)
  if (state === 'idle') await until('nothing else is below it', () => others().length === 0)
})

test.concurrent('the environment of the children', async () => {
  await using run = new Run({ directive: 'persona=works', mcp: { rig: '' } })
  await run.noted('idle')
  const common = {
    CLAUDECODE: '1',
    CLAUDE_CODE_ENTRYPOINT: 'sdk-cli',
    CLAUDE_CODE_SESSION_ID: await run.session(),
    CLAUDE_CODE_MESSAGING_SOCKET: `${run.temporary}/cc-socks/${run.pid}.sock`,
    AI_AGENT: expect.any(String),
    TMUX_PANE: '%7',
  }
  const bashOnly = { CLAUDE_PID: String(run.pid), CLAUDE_CODE_CHILD_SESSION: '1', GIT_EDITOR: 'true' }
  const mcp = environment(run.children('mcp')[0] ?? 0)
  const bash = environment(run.children('bash')[0] ?? 0)
  expect(mcp).toMatchObject({ ...common, CLAUDE_PROJECT_DIR: run.cwd })
  expect(bash).toMatchObject({ ...common, ...bashOnly })
  for (const name of Object.keys(bashOnly)) expect(mcp).not.toHaveProperty(name)
  expect(bash).not.toHaveProperty('CLAUDE_PROJECT_DIR')
  // Its environment is the same after the exec.
  expect(environment(run.pid)).not.toHaveProperty('CLAUDECODE')
  expect(environment(run.pid)).toMatchObject({ TMUX_PANE: '%7', HOME: run.home })
})

test.concurrent('bash=N and depth=N make so many tools, so deep', async () => {
  await using run = new Run({ directive: 'persona=works bash=3 depth=2' })
  await run.noted('idle')
  const leaders = run.children('bash')
  expect(leaders).toHaveLength(3)
  for (const leader of leaders) await until('there are three processes', () => inSession(leader).length === 3)
})

test.concurrent('the versions that run on Node show no arguments', async () => {
  await using run = new Run({
    directive: 'persona=crashes profile=legacy gate=/tmp/never-made-by-fake-claude',
  })
  await until('the Bash tool runs', () => run.children('bash')[0])
  expect(readFileSync(`/proc/${run.pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()).toBe('claude')
  expect(facts(run.pid)?.comm).toBe('claude')
})

test.concurrent('stdout is the only writer of the log: nothing of the workspace is open', async () => {
  await using run = new Run({ directive: 'persona=completes' })
  await run.noted('idle')
  const ofItsOwn = (path: string) => path.startsWith(run.cwd) || path === `${run.folder}/journal`
  // The journal is open for a moment with each entry.
  await until('none of it is open', () => !openFiles(run.pid).some(ofItsOwn))
})
