import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { dirSync } from 'tmp-promise'
import { expect, test } from 'vitest'
import { Run } from '../support/claude.ts'

const json = (format: string) => ['-p', '--output-format', format]

test.concurrent('plain: init, assistant, result', async () => {
  await using run = new Run({ directive: '' })
  expect(await run.ended).toBe(0)
  expect(run.order).toEqual(['system/init', 'assistant', 'result/success'])
})

test.concurrent('every event carries the fields of the real one', async () => {
  await using run = new Run({ directive: 'persona=exits' })
  await run.ended
  const [init] = run.lines
  const result = run.lines.at(-1)
  const use = run.lines.find(({ message }) => message?.content[0].type === 'tool_use')
  const answer = run.lines.find(({ type }) => type === 'user')
  const fields = (event: object | undefined) => Object.keys(event ?? {}).sort()

  expect(fields(init)).toEqual(
    'agents apiKeySource claude_code_version cwd mcp_servers model output_style permissionMode plugins session_id skills slash_commands subtype tools type uuid'.split(
      ' ',
    ),
  )
  expect(fields(use)).toEqual(['message', 'parent_tool_use_id', 'session_id', 'type', 'uuid'])
  expect(fields(use?.message)).toEqual(
    'content id model role stop_reason stop_sequence type usage'.split(' '),
  )
  expect(fields(answer)).toEqual('message parent_tool_use_id session_id tool_use_result type uuid'.split(' '))
  expect(answer?.message.content[0].tool_use_id).toBe(use?.message.content[0].id)
  expect(fields(result)).toEqual(
    'duration_api_ms duration_ms is_error modelUsage num_turns permission_denials result result_index session_id stop_reason subtype terminal_reason total_cost_usd type usage uuid'.split(
      ' ',
    ),
  )
  expect(new Set(run.lines.map(event => event.session_id)).size).toBe(1)
  expect(new Set(run.lines.map(event => event.uuid)).size).toBe(run.lines.length)
})

test.concurrent('a result line does not begin with its type', async () => {
  await using run = new Run({ directive: '' })
  await run.ended
  expect(run.stdout.trim().split('\n').at(-1)).not.toMatch(/^\{"type"/)
})

test.concurrent('the journal names each event that stdout took, in order', async () => {
  await using run = new Run({ directive: 'persona=exits events=50' })
  await run.ended
  const noted = run.journal.filter(entry => entry.what === 'event')
  expect(noted.map(({ uuid, type }) => ({ uuid, type }))).toEqual(
    run.lines.map(({ uuid, type }) => ({ uuid, type })),
  )
  expect(run.order.filter(type => type === 'assistant').length).toBeGreaterThanOrEqual(50)
})

test.concurrent('text and json print the result only', async () => {
  await using text = new Run({ args: json('text'), directive: 'persona=exits' })
  await using one = new Run({ args: json('json'), directive: 'persona=exits' })
  await Promise.all([text.ended, one.ended])
  expect(text.stdout).toBe('Done.\n')
  expect(one.order).toEqual(['result/success'])
})

test.concurrent('a reader that dies goes unnoticed', async () => {
  await using run = new Run({ directive: 'persona=exits events=2000' })
  run.process.stdout?.destroy()
  expect(await run.ended).toBe(0)
  expect(run.journal.some(entry => entry.what === 'lost')).toBe(true)
  expect(run.stderr).toBe('')
})

test.concurrent('a reader that stalls gets a log cut in the middle of a line; exit 0', async () => {
  const folder = dirSync({ prefix: 'fake-claude' }).name
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(pipe, 'w')
  await using run = new Run({ folder, directive: 'persona=exits events=2000', stdout: writer })
  expect(await run.ended).toBe(0)
  const log = Buffer.alloc(1 << 20)
  const text = log.toString('utf8', 0, readSync(reader, log))
  closeSync(writer)
  closeSync(reader)
  expect(text.length).toBeGreaterThan(50_000)
  expect(() => JSON.parse(text.split('\n').at(-1) ?? '')).toThrow()
  expect(text).not.toContain('"terminal_reason"')
})
