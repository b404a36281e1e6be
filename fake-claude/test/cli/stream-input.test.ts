import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { executable, Run, stream } from '../support/claude.ts'
import { Traces, wholeLines } from '../support/traces.ts'
import { until } from '../support/until.ts'

const args = [...stream, '--input-format', 'stream-json']
const message = (text: string) =>
  `${JSON.stringify({ type: 'user', message: { role: 'user', content: text } })}\n`

test('each message is answered as it comes, and the end of stdin ends claude', async () => {
  const traces = new Traces()
  const child = spawn(executable, args, { cwd: traces.cwd, env: traces.environment })
  let stdout = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  const types = () => wholeLines(stdout).map(line => JSON.parse(line).type)
  const control = { type: 'control_request', request_id: 'r1', request: { subtype: 'initialize' } }
  child.stdin.write(`${JSON.stringify(control)}\n`)
  await until('the SDK has its answer', () => stdout.includes('"request_id":"r1"'))
  for (const turn of [1, 2]) {
    child.stdin.write(message(turn === 1 ? traces.prompt('persona=exits bash=0 events=0') : 'and now?'))
    await until(`turn ${turn} is over`, () => types().filter(type => type === 'result').length === turn)
    await traces.noted('idle')
  }
  expect(types().filter(type => type === 'system')).toHaveLength(2)
  expect(child.exitCode).toBeNull()
  child.stdin.end()
  expect(await new Promise(done => child.once('exit', done))).toBe(0)
  await traces.sweep()
})

test('no message at all: claude ends with 0, and prints nothing', async () => {
  await using run = new Run({ args, stdin: '' })
  expect(await run.ended).toBe(0)
  expect(run.stdout + run.stderr).toBe('')
})
