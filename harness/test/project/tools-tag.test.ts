import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')

/** What a test names that is skipped where an optional tool is missing, as on the gate's bare machine. */
const NEEDS_TOOL =
  /'(tini|screen) on the PATH'|'container engine'|support\/(container|chromium)\.ts'|for\(\['tini'/

test('whatever needs an optional tool has the tag by which the gate runs it', () => {
  const textOf = (file: string) => readFileSync(join(root, file), 'utf8')
  const files = globSync('{cleanup,fake-claude,harness}/test/**/*.test.ts', { cwd: root })
  const needing = files.filter(file => !file.endsWith('tools-tag.test.ts') && NEEDS_TOOL.test(textOf(file)))
  expect(needing.length).toBeGreaterThan(5)
  const untagged = needing.filter(file => !textOf(file).startsWith('/** @module-tag tools */'))
  expect(untagged).toEqual([])
})
