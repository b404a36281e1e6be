import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { poll } from '../../poll.ts'
import { Workspace } from '../support/workspace.ts'

const tasks = { T1: { worker: 'orchestrator' } }
const deploy = { task_id: 'T1', agent_type: 'helper', prompt: 'help' }

/** Writes a claude with this content, and returns the environment that selects it. */
function withClaude(workspace: Workspace, content: string, mode = 0o755): Record<string, string> {
  const file = join(workspace.folder, 'claude')
  workspace.writeText('../claude', content)
  chmodSync(file, mode)
  return { CLAUDE_EXECUTABLE: file }
}

describe('a claude that is found and ends at once leaves what was printed as the reason', () => {
  test.each([
    [
      'says why and exits',
      '#!/bin/sh\necho "Error: unknown option --brief" >&2; exit 1\n',
      /unknown option --brief/,
    ],
    ['is for another machine', '\x7fELF garbage\0\0\0', /cannot execute binary file|Exec format error/],
    [
      'needs an interpreter that is missing',
      '#!/nonexistent/node\n',
      /(nonexistent.*(bad interpreter|No such file)|required file not found)/,
    ],
    [
      'prints a terminal’s commands',
      '#!/bin/sh\nprintf "\\033[2Jgone\\n" >&2; exit 1\n',
      /it printed: \[2Jgone$/,
    ],
    [
      'prints without end',
      `#!/bin/sh\nyes failure | head -c 1000000 >&2; exit 1\n`,
      /it printed: … [ failure]{390,}$/,
    ],
  ])('%s', async (_, content, reason) => {
    await using workspace = new Workspace(tasks)
    const env = withClaude(workspace, content)
    const instance = await workspace.instance('immediate', undefined, env)
    const { said, error } = await instance.call('deploy_headless_agent', deploy)
    expect(error).toBe('')
    const agent = { task_id: 'T1', agent_id: String(said.agent_id) }
    const entry = await poll(20_000, async () => {
      await instance.call('get_agent_output', agent)
      const now = workspace.entry(`T1/${agent.agent_id}`)
      return (now.cleanup as { state?: string } | undefined)?.state === 'done' ? now : undefined
    })
    expect(entry).toMatchObject({ status: 'crashed', reason: expect.stringMatching(reason) })
    const kept = join(workspace.path, 'T1', 'archive', `deploy_${agent.agent_id}.stderr`)
    expect(existsSync(kept) && readFileSync(kept, 'utf8')).not.toBe('')
  })
})

test.each([
  ['is missing', undefined],
  ['may not be executed', 0o644],
])('a claude that %s is refused before anything is made', async (_, mode) => {
  await using workspace = new Workspace(tasks)
  const env =
    mode === undefined
      ? { CLAUDE_EXECUTABLE: join(workspace.folder, 'claude') }
      : withClaude(workspace, '#!/bin/sh\n', mode)
  const instance = await workspace.instance('immediate', undefined, env)
  const before = workspace.everything()
  expect((await instance.call('deploy_headless_agent', deploy)).error).toMatch(
    /claude cannot be started: expected a file/,
  )
  expect(workspace.everything()).toEqual(before)
})

test.each([
  ['with a NUL', 'a\0b', /expected no NUL/],
  ['with half a character', 'a\ud800b', /expected well-formed Unicode/],
  ['of 200 KB', 'x'.repeat(200_000), /expected at most 128000 bytes/],
  ['of 200 KB in two-byte characters', 'ü'.repeat(100_000), /expected at most 128000 bytes/],
])('a prompt %s is refused', async (_, prompt, error) => {
  await using workspace = new Workspace(tasks)
  const instance = await workspace.instance('none', undefined, withClaude(workspace, '#!/bin/sh\n'))
  expect((await instance.call('deploy_headless_agent', { ...deploy, prompt })).error).toMatch(error)
})

test.each([
  ['empty', ''],
  ['like an option', '--version'],
  ['with CRLF', 'one\r\ntwo'],
  ['of 128,000 bytes', 'x'.repeat(128_000)],
])('a prompt that is %s arrives whole', async (_, prompt) => {
  await using workspace = new Workspace(tasks)
  const script =
    '#!/bin/sh\nfor last; do :; done; printf %s "$last" >"$CLAUDE_ORCHESTRATOR_WORKSPACE/../prompt.next"\nmv "$CLAUDE_ORCHESTRATOR_WORKSPACE/../prompt.next" "$CLAUDE_ORCHESTRATOR_WORKSPACE/../prompt"\n'
  const instance = await workspace.instance('none', undefined, withClaude(workspace, script))
  const { said } = await instance.call('deploy_headless_agent', { ...deploy, prompt })
  const file = join(workspace.folder, 'prompt')
  const arrived = await poll(20_000, async () => (existsSync(file) ? readFileSync(file, 'utf8') : undefined))
  expect(arrived).toBe(`agent_id: ${said.agent_id}\ntask_id: T1\n\n${prompt}`.trimEnd())
})
