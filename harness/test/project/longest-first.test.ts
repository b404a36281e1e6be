import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { longest, longestFirst } from '../../../test/longest-first.ts'

test('the files that take longest run first, and exist; the others keep their order', () => {
  expect(longest.filter(file => !existsSync(join(projectRoot, file)))).toEqual([])
  const files = ['b', ...longest.toReversed(), 'c', 'a'].map(file => ({ moduleId: `/project/${file}` }))
  expect(longestFirst(files).map(({ moduleId }) => moduleId)).toEqual(
    [...longest, 'b', 'c', 'a'].map(file => `/project/${file}`),
  )
})
