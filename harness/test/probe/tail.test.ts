import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tail } from '../../probe/tail.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leakrig-tail-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('it is the last whole lines of a file', () => {
  const file = join(folder, 'log')
  writeFileSync(file, 'one\ntwo\nthree\n')
  expect([tail(file, 100), tail(file, 8)]).toEqual(['one\ntwo\nthree\n', 'three\n'])
})

test('what is no regular file is not read, and nobody waits for it', () => {
  const [fifo, link] = [join(folder, 'fifo'), join(folder, 'link')]
  execFileSync('mkfifo', [fifo])
  symlinkSync('/dev/zero', link)
  expect([fifo, link, folder, join(folder, 'none')].map(path => tail(path, 100))).toEqual([
    ...[undefined, undefined, undefined, undefined],
  ])
})
