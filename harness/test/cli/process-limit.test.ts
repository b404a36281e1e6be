import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { loads, requireProcessRoom } from '../../cli/process-limit.ts'
import { CannotMeasureError } from '../../errors.ts'

const problem = (
  workers: number,
  limit: number,
  taken: number,
  kind: keyof typeof loads = 'scenarios',
): unknown => {
  try {
    requireProcessRoom(kind, workers, { limit, taken })
  } catch (error) {
    return error
  }
}

test('a process limit that is too small is reported before anything starts', () => {
  const error = problem(3, 60, 12)
  expect(error).toBeInstanceOf(CannotMeasureError)
  expect(String(error)).toMatch(
    /about 400 processes and threads, and the limit of this user is 60 \(ulimit -u\), of which 12 are taken: raise the limit\.$/,
  )
  expect(String(problem(3, 230, 12))).toMatch(/raise the limit, or take --workers 1\.$/)
  expect(String(problem(1, 210, 12))).toMatch(/about 200 .* raise the limit\.$/)
})

test('other processes of the user count, and more workers than files do not', () => {
  expect(problem(3, 412, 12)).toBeUndefined()
  expect(problem(3, 412, 13)).toBeDefined()
  expect(problem(65, 520, 12)).toBeUndefined()
})

test('a file of the catalogue needs room for several cells, and the number of files is right', () => {
  expect(problem(3, 712, 12, 'catalogue')).toBeUndefined()
  expect(String(problem(3, 330, 12, 'catalogue'))).toMatch(/about 700 .* or take --workers 1\.$/)
  const filesIn = (folder: string) =>
    readdirSync(join(projectRoot, folder)).filter(name => name.endsWith('.test.ts'))
  expect(filesIn('scenarios')).toHaveLength(loads.scenarios.files)
  expect(filesIn('scenarios/catalogue')).toHaveLength(loads.catalogue.files)
})
