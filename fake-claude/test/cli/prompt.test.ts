import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Run } from '../support/claude.ts'

// Each half of the prompt has a part of the directive, so that claude's behaviour shows what it has read.
const journal = (run: Run) => run.journal.find(entry => entry.what === 'started')

test.concurrent('from the argument', async () => {
  await using run = new Run({ directive: 'profile=mid' })
  expect(await run.ended).toBe(0)
  expect(journal(run)).toMatchObject({ profile: 'mid', persona: 'plain', pid: run.pid })
})

test.concurrent('from stdin', async () => {
  await using run = new Run({ args: ['-p'], stdin: '[[fake-claude persona=nobody]]' })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toContain("persona='nobody'")
})

test.concurrent('from both, joined', async () => {
  await using run = new Run({ directive: 'profile=mid', stdin: '[[fake-claude persona=exits]]' })
  expect(await run.ended).toBe(0)
  expect(journal(run)).toMatchObject({ profile: 'mid', persona: 'exits' })
})

test.concurrent('as user messages, with --input-format stream-json', async () => {
  const args = ['-p', '--verbose', '--output-format', 'stream-json', '--input-format', 'stream-json']
  const message = { role: 'user', content: [{ type: 'text', text: '[[fake-claude persona=nobody]]' }] }
  await using run = new Run({ args, stdin: `${JSON.stringify({ type: 'user', message })}\n` })
  expect(await run.ended).toBe(1)
  expect(run.stderr).toContain("persona='nobody'")
})

test.concurrent('neither: one line of error', async () => {
  await using run = new Run({ args: ['-p'], stdin: '' })
  expect(await run.ended).toBe(1)
  expect(run.stderr.trim().split('\n')).toHaveLength(1)
})

test.concurrent('is kept in nothing but the arguments that ps shows', async () => {
  await using run = new Run({ directive: 'persona=works' })
  await run.noted('idle')
  const shown = readFileSync(join('/proc', String(run.pid), 'cmdline'), 'utf8')
  expect(shown).toContain('AGENT ID: a-1')
  expect(shown.startsWith('claude\0')).toBe(true)
})
