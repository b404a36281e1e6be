import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execaSync } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commitOf, describedRun } from '../../cli/described-run.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leakrig-commit-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('a run of a clone names its commit, and says where files differ from it', () => {
  const git = (...args: string[]) => execaSync('git', ['-C', folder, ...args]).stdout
  git('init', '-q')
  expect(commitOf(folder)).toBeUndefined()
  writeFileSync(join(folder, 'file'), 'one')
  git('add', '.')
  git('-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '-qm', 'one')
  const commit = git('rev-parse', 'HEAD')
  // Git would write to the index where only the time of a file is another.
  utimesSync(join(folder, 'file'), 1, 1)
  const index = () => statSync(join(folder, '.git/index')).mtimeMs
  const before = index()
  expect(commitOf(folder)).toBe(commit)
  expect(index()).toBe(before)
  writeFileSync(join(folder, 'file'), 'two')
  expect(commitOf(folder)).toBe(`${commit}-dirty`)
  // A package lies below somebody else's repository.
  mkdirSync(join(folder, 'node_modules/leakrig'), { recursive: true })
  expect(commitOf(join(folder, 'node_modules/leakrig'))).toBeUndefined()
})

test('it names its version and systems', () => {
  const run = describedRun({ command: 'scenarios', systems: ['hybrid'], selection: [] })
  expect(run).toMatchObject({ version: expect.any(String), systems: ['hybrid'] })
})
