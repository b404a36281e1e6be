import fs from 'node:fs'
import path from 'node:path'
import { dir } from 'tmp-promise'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lastEvent, lastResult, loggedSession } from '../../registry/stream-log.ts'

let log: string
let remove: () => Promise<void>
beforeEach(async () => {
  const made = await dir({ prefix: 'lr-', unsafeCleanup: true })
  remove = made.cleanup
  const logs = path.join(fs.realpathSync(made.path), 'TASK-1', 'logs')
  fs.mkdirSync(logs, { recursive: true })
  log = path.join(logs, 'a_stream.jsonl')
})
afterEach(() => remove())

const KIB = 1 << 10
const MIB = 1 << 20
const line = (event: object) => `${JSON.stringify(event)}\n`
const assistant = (text: string) => line({ type: 'assistant', text })
const result = (text = 'done') => line({ type: 'result', subtype: 'success', is_error: false, result: text })
const write = (...parts: (string | Buffer)[]) => {
  for (const part of parts) fs.appendFileSync(log, part)
}
const found = () => lastResult(log).result?.result

describe('the last result', () => {
  test.each([300 * KIB, 256 * KIB, 3 * MIB, 15 * MIB])('in a line of %i bytes', bytes => {
    const text = 'x'.repeat(bytes)
    write(assistant('hello'), result(text))
    expect(lastResult(log)).toEqual({ result: expect.objectContaining({ result: text }) })
    expect(lastEvent(log)).toMatchObject({ type: 'result' })
  })

  test('with characters of several bytes at every offset to the parts in which the log is read', () => {
    for (const padding of ['', 'x', 'xx', 'xxx']) {
      const text = `${padding}${'🦀ü漢'.repeat(40 * KIB)}`
      write(result(text))
      expect(found()).toBe(text)
    }
  })

  const late = (bytes: number) =>
    line({ type: 'system', subtype: 'task_notification', summary: 'y'.repeat(bytes) })

  test.each([400 * KIB, 5 * MIB])('before three events of %i bytes', bytes => {
    write(result(), late(bytes), late(bytes), late(bytes))
    expect(found()).toBe('done')
  })

  test('before a line of 5 MiB that claude had only begun', () => {
    write(result(), late(5 * MIB).slice(0, -10))
    expect(found()).toBe('done')
  })

  test('is in doubt when too much follows it', () => {
    write(result(), late(7 * MIB), late(7 * MIB), late(7 * MIB))
    expect(lastResult(log)).toEqual({
      result: undefined,
      unread: expect.stringMatching(/longer than 16 MiB/),
    })
  })

  test.each([
    ['lines that end in CRLF', [assistant('x'), result().replace('\n', '\r\n'), '\r\n']],
    ['a last line without line feed', [assistant('x'), result().trimEnd()]],
    ['empty lines after it', [result(), '\n\n\n']],
    [
      'an error message after it',
      [result(), 'Error: write EPIPE\n    at node:net:62:1\n', Buffer.of(0xff, 0xfe, 0x0a)],
    ],
    ['half a line after it', [result(), '{"type":"system","sub']],
    ['zeros before it, as after a truncation', [Buffer.alloc(20 * MIB), result()]],
    ['zeros after it', [result(), Buffer.alloc(300 * KIB)]],
  ])('with %s', (_, parts) => {
    write(...parts)
    expect(found()).toBe('done')
  })

  test('is not a line that quotes one', () => {
    write(assistant(result()), line({ type: 'user', content: { type: 'result', subtype: 'success' } }))
    expect(lastResult(log)).toEqual({ result: undefined })
  })

  test('is the last of several', () => {
    write(result('one'), assistant('x'), result('two'), assistant('y'))
    expect(found()).toBe('two')
  })

  test('behind a line of 100 MB is not searched for, and that is said', () => {
    write(result())
    for (let n = 0; n < 100; n++) write(Buffer.alloc(MIB, 'x'))
    const before = process.memoryUsage().arrayBuffers
    expect(lastResult(log)).toEqual({
      result: undefined,
      unread: expect.stringMatching(/longer than 16 MiB/),
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * MIB)
  })

  test('of a log that is a link is not read, and that is said', () => {
    fs.symlinkSync('/etc/passwd', log)
    expect(lastResult(log)).toEqual({ result: undefined, unread: expect.stringMatching(/symbolic link/) })
    fs.unlinkSync(log)
    expect(lastResult(log)).toEqual({ result: undefined })
  })
})

test('the session is read from a first line of 300 KiB', () => {
  const session_id = '01234567-89ab-cdef-0123-456789abcdef'
  write(line({ type: 'system', subtype: 'init', cwd: '/x', tools: ['t'.repeat(300 * KIB)], session_id }))
  write(assistant('x'.repeat(MIB)), line({ type: 'system', task_id: 'b1', is_backgrounded: true }))
  expect(loggedSession(log)).toMatchObject({ id: session_id, folder: '/x', background: new Set(['b1']) })
})
