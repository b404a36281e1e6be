import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { UsageError } from '../../cli/exit.ts'
import { readKnown } from '../../cli/known-file.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync('/var/tmp/leakrig-known-')
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A new folder with this list, and the list's path. */
function listed(text: string): string {
  const file = join(mkdtempSync(join(folder, 'list-')), 'leakrig.known.json')
  writeFileSync(file, text)
  return file
}

async function leakrig(project: string, ...args: string[]) {
  const program = join(projectRoot, 'bin/leakrig.cjs')
  return execa(process.execPath, [program, 'scenarios', '--sandbox', 'namespace', ...args], {
    env: { INIT_CWD: project },
    reject: false,
    stdin: 'ignore',
    cwd: projectRoot,
  })
}

test('a project with leaks adopts the gate: known ones pass, and one more is red', async () => {
  needsNamespaces()
  const project = mkdtempSync(join(folder, 'project-'))
  const run = (...more: string[]) => leakrig(project, 'manual', '--system', 'none', ...more)
  const adopted = await run('--update-known')
  expect(adopted.stdout).toMatch(/✗ 5 leaked.*known leaks: 3 in .*leakrig\.known\.json.*0 pass, 1 known;/s)
  expect(adopted.exitCode).toBe(0)
  const file = join(project, 'leakrig.known.json')
  const { known } = JSON.parse(readFileSync(file, 'utf8'))
  expect(known).toHaveLength(3)
  known[1].count -= 1
  writeFileSync(file, JSON.stringify({ known: known.slice(0, 2) }))
  const red = await run()
  expect(red.stdout).toMatch(/ more: 3 not-archived, of which 2 are known\n/)
  expect(red.stdout).toMatch(/ new: 1 not-removed, of which none is known\n/)
  expect(red.exitCode).toBe(1)
})

test('every mistake of a list is said at once, with its field', () => {
  const entry = {
    system: 'a',
    scenario: 'b',
    mechanism: 'gone',
    count: 1,
    reason: 'c',
    expires: '2027-01-31',
  }
  const mistakes = (...known: object[]) => {
    const file = listed(JSON.stringify({ known }))
    try {
      return readKnown({ known: file })
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError)
      return (error as Error).message.replace(file, 'FILE').split('\n')
    }
  }
  expect(mistakes(entry)).toMatchObject({ known: [entry] })
  expect(mistakes({ ...entry, count: 0, expires: '2027-02-30' })).toEqual([
    'FILE has 2 mistakes:',
    '  known[0].count: expected more than 0, and found 0',
    '  known[0].expires: expected a day such as "2027-01-31", and found "2027-02-30"',
  ])
  expect(mistakes({ ...entry, reason: ' ', mechanism: 'lost' })).toEqual([
    'FILE has 2 mistakes:',
    expect.stringMatching(/^ {2}known\[0\]\.mechanism: expected "session-not-ended" or .* and found "lost"$/),
    '  known[0].reason: expected some text, and found none',
  ])
  expect(mistakes(entry, { ...entry, count: 2 })).toEqual([
    'FILE has one mistake:',
    '  known[1]: says the same as known[0]; keep one of them',
  ])
})

test('a list that cannot be read is wrong usage, and without one nothing is known', () => {
  expect(() => readKnown({ known: listed('{') })).toThrow(/cannot be read as JSON/)
  expect(() => readKnown({ known: join(folder, 'none.json') })).toThrow(
    /does not exist: write it with --update/,
  )
  expect(() => readKnown({ known: folder, updateKnown: true })).toThrow(/cannot be written/)
  const before = process.env.INIT_CWD
  process.env.INIT_CWD = folder
  try {
    expect(readKnown({})).toBeUndefined()
    expect(readKnown({ updateKnown: true })).toMatchObject({ known: [] })
  } finally {
    process.env.INIT_CWD = before
  }
})
