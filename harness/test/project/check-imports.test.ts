import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Area } from '../../../bin/architecture.ts'
import { findViolations } from '../../../bin/check-imports.ts'
import { projectRoot } from '../../../bin/programs.ts'

/** `lower` below `one` and `other`, which stand side by side below `upper`. */
const areas: Area[] = [
  {
    folder: 'app',
    rows: [['upper/names.ts'], ['lower'], ['one', 'other'], ['upper', '*']],
    tests: ['test'],
    outside: { 'upper/': ['library/index.ts'] },
  },
  { folder: 'library', rows: [['*']] },
]

const check = (sources: Record<string, string>) => findViolations(new Map(Object.entries(sources)), areas)

test('imports that go down, and those of one folder and of tests, are allowed', () => {
  expect(
    check({
      'app/lower/a.ts': `import './b.ts'`,
      'app/lower/b.ts': `import { names } from '../upper/names.ts'`,
      'app/one/a.ts': `import '../lower/a.ts'`,
      'app/upper/a.ts': `import '../one/a.ts'; import { x } from '../../library/index.ts'; import 'node:fs'`,
      'app/upper/names.ts': 'export const names = []',
      'app/main.ts': `import './other/a.ts'`,
      'app/other/a.ts': '',
      'app/test/a.test.ts': `import '../upper/a.ts'; import './support.ts'`,
      'app/test/support.ts': '',
      'library/index.ts': '',
    }),
  ).toEqual([])
})

const upper = { 'app/upper/a.ts': 'export type A = string; export const a = 1' }

test.each([
  ['a statement', `import { a } from '../upper/a.ts'`],
  ['a statement for its effect', `import '../upper/a.ts'`],
  ['a type', `import type { A } from '../upper/a.ts'`],
  ['a type among values', `import { type A } from '../upper/a.ts'`],
  ['a type in place', `export type B = import('../upper/a.ts').A`],
  ['an export', `export { a } from '../upper/a.ts'`],
  ['an export of a type', `export type { A } from '../upper/a.ts'`],
  ['an export of everything', `export * from '../upper/a.ts'`],
  ['a dynamic import', `export const load = () => import('../upper/a.ts')`],
  ['the declaration of a module', `declare module 'x' { interface Y { a: import('../upper/a.ts').A } }`],
])('an import that goes up is found: %s', (_, text) => {
  expect(check({ ...upper, 'app/lower/a.ts': text })).toEqual([
    'app/lower/a.ts imports app/upper/a.ts: that goes up, upper is above lower',
  ])
})

test('an import between two folders of one row is found', () => {
  expect(check({ 'app/one/a.ts': `import '../other/a.ts'`, 'app/other/a.ts': '' })).toEqual([
    'app/one/a.ts imports app/other/a.ts: one and other are in one row and do not import each other',
  ])
})

test('an import of a test is found', () => {
  expect(check({ 'app/upper/a.ts': `import '../test/a.ts'`, 'app/test/a.ts': '' })).toEqual([
    'app/upper/a.ts imports app/test/a.ts: only tests import tests',
  ])
})

test('an import of another area is found, also where a part of that area is allowed', () => {
  const library = { 'library/index.ts': '', 'library/inner.ts': '' }
  expect(check({ ...library, 'app/lower/a.ts': `import type { X } from '../../library/index.ts'` })).toEqual([
    'app/lower/a.ts imports library/index.ts: it may import nothing outside app/',
  ])
  expect(check({ ...library, 'app/upper/a.ts': `import '../../library/inner.ts'` })).toEqual([
    'app/upper/a.ts imports library/inner.ts: it may import library/index.ts outside app/',
  ])
})

test('a circle of imports is found once, also within one folder', () => {
  const circle = {
    'app/one/a.ts': `import './b.ts'`,
    'app/one/b.ts': `import './c.ts'`,
    'app/one/c.ts': `import './a.ts'`,
  }
  expect(check(circle)).toEqual([
    'a circle of imports: app/one/a.ts -> app/one/b.ts -> app/one/c.ts -> app/one/a.ts',
  ])
})

test('a circle of types is found, and a file that imports itself', () => {
  const types = {
    'app/one/a.ts': `import type { B } from './b.ts'`,
    'app/one/b.ts': `export type A = import('./a.ts').A`,
  }
  expect(check(types)).toEqual(['a circle of imports: app/one/a.ts -> app/one/b.ts -> app/one/a.ts'])
  expect(check({ 'app/one/a.ts': `import './a.ts'` })).toEqual([
    'a circle of imports: app/one/a.ts -> app/one/a.ts',
  ])
})

test('a file in no row is found', () => {
  expect(findViolations(new Map([['app/new/a.ts', '']]), areas)).toEqual([
    'app/new/a.ts is in no row of app/: give its file or folder a row in bin/architecture.ts',
  ])
})

test('the project follows its own architecture', () => {
  const program = join(projectRoot, 'bin/check-imports.ts')
  const { status, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
})
