import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { writeReportFolder } from '../../cli/report-folder.ts'
import { count } from '../../timeline/counts.ts'
import { foundByAjv, readReport } from '../support/published.ts'
import { aReport, aRun, green, red } from '../support/reports.ts'

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leakrig-merge-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const leakrig = (...args: string[]) =>
  execa(process.execPath, [program, ...args], { reject: false, cwd: folder, env: { INIT_CWD: folder } })

/** Writes the folder of a shard, with a time line for each scenario. */
function write(name: string, index: number, results = [green(`s${index}`)]): Promise<boolean> {
  const timeline = {
    startedAt: 1,
    endedAt: 9,
    steps: [{ what: `step of ${index}`, at: 3 }],
    samples: [{ at: 1, counts: count([]) }],
    lives: [],
  }
  const run = aRun({ shard: { index, count: 2 } })
  return writeReportFolder(
    join(folder, name),
    aReport(
      results.map(one => ({ ...one, timeline })),
      { run },
    ),
  )
}

const knownList = (scenarios: string[]) => {
  const rest = {
    system: 'mine',
    mechanism: 'not-removed',
    count: 1,
    reason: 'issue 12',
    expires: '2099-01-31',
  }
  writeFileSync(
    join(folder, 'known.json'),
    JSON.stringify({ known: scenarios.map(scenario => ({ ...rest, scenario })) }),
  )
}

test('shards become one report with their time lines, and one exit code', async () => {
  await write('one', 1)
  await write('two', 2, [red('a crash')])
  const { exitCode, stdout } = await leakrig(
    'report',
    'merge',
    'two',
    'one',
    '--report',
    'whole',
    '--junit',
    'whole.xml',
  )
  expect(stdout).toMatch(/^✗ 1 leaked +a crash\n/)
  expect(stdout).toMatch(
    /\n1 pass, 1 leak; system mine, sandbox namespace, .*\nreport: whole \(npm run leakrig -- report open whole\)\njunit: whole\.xml$/,
  )
  expect(exitCode).toBe(1)
  const report = readReport(join(folder, 'whole/report.json'))
  expect(report.scenarios.map(({ name }) => name)).toEqual(['s1', 'a crash'])
  const timelines = JSON.parse(readFileSync(join(folder, 'whole/timelines.json'), 'utf8'))
  expect(foundByAjv('timelines', timelines)).toEqual([])
  expect(JSON.stringify(timelines)).toContain('step of 1')
  expect(readFileSync(join(folder, 'whole.xml'), 'utf8')).toContain('tests="2" failures="1" errors="0"')
})

test('a missing shard is inconclusive', async () => {
  await write('one', 1)
  const { exitCode, stdout } = await leakrig('report', 'merge', 'one')
  expect(stdout).toContain('? Shard 2/2 is missing, so that nothing is known of its scenarios.')
  expect(exitCode).toBe(3)
})

test('known leaks are judged once, over the whole', async () => {
  await write('one', 1, [red('s1', { verdict: 'known' })])
  await write('two', 2, [red('s2')])
  const args = ['report', 'merge', 'one', 'two']
  const without = await leakrig(...args)
  expect(without.stderr).toContain(
    'The shards found known leaks, and the merge has no list of them: run it in',
  )
  expect(without.exitCode).toBe(2)
  const verdicts = async (scenarios: string[]) => {
    knownList(scenarios)
    const { exitCode, stdout } = await leakrig(...args, '--known', 'known.json')
    return { exitCode, last: stdout.split('\n').at(-1) }
  }
  expect(await verdicts(['s1', 's2'])).toMatchObject({
    exitCode: 0,
    last: expect.stringContaining('0 pass, 2 known'),
  })
  expect(await verdicts(['s2'])).toMatchObject({
    exitCode: 1,
    last: expect.stringContaining('1 known, 1 leak'),
  })
})

test('what is fixed shows only in the whole', async () => {
  await write('one', 1)
  await write('two', 2)
  knownList(['s2', 'renamed'])
  const whole = await leakrig('report', 'merge', 'one', 'two', '--known', 'known.json')
  expect(whole.stdout).toContain('not-removed of "s2", system mine\n')
  expect(whole.stdout).toContain('not-removed of "renamed", system mine: no scenario has this name')
  expect(whole.exitCode).toBe(1)
  const part = await leakrig('report', 'merge', 'two', '--known', 'known.json')
  expect(part.stdout).not.toContain('there no more')
  expect(part.exitCode).toBe(3)
})

test.for<[what: string, name: string, sentence: string]>([
  ['no report', 'empty', 'empty has no report.json: name a folder that --report made.'],
  [
    'another schemaVersion',
    'version',
    'has schemaVersion 9, and this leakrig reads 2: merge with the version that',
  ],
  ['a wrong field', 'field', 'has one mistake:\n  scenarios[0].verdict: expected "pass" or'],
  ['no JSON', 'text', 'cannot be read as JSON'],
])('%s is refused in one sentence', async ([, name, sentence]) => {
  await write('good', 1)
  const change: Record<string, (text: string) => string> = {
    version: text => text.replace('"schemaVersion": 2', '"schemaVersion": 9'),
    field: text => text.replace('"verdict": "pass"', '"verdict": "fine"'),
    text: () => 'no',
  }
  cpSync(join(folder, 'good'), join(folder, name), { recursive: true })
  const file = join(folder, name, 'report.json')
  const changed = change[name]
  if (changed) writeFileSync(file, changed(readFileSync(file, 'utf8')))
  else rmSync(file)
  const { exitCode, stdout, stderr } = await leakrig('report', 'merge', name)
  expect(stderr).toContain(sentence)
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
})

test.for<[what: string, change: [from: RegExp, to: string], mistake: RegExp]>([
  [
    'a pass whose findings say otherwise',
    [/"verdict": "leak",\n {6}"durationMs"/, '"verdict": "pass",\n      "durationMs"'],
    /scenarios\[0\]\.verdict: expected "leak" by what it found, and found "pass"/,
  ],
  ['another exit code', [/"exitCode": 1/, '"exitCode": 0'], /exitCode: expected 1 by its .*, and found 0/],
  ['ten million shards', [/"count": 2/, '"count": 10000000'], /run\.shard\.count: expected at most 999/],
  ['a duration without end', [/"durationMs": 900/, '"durationMs": 1e308'], /durationMs: expected at most/],
])('%s is refused', async ([what, [from, to], mistake]) => {
  const name = what.replaceAll(' ', '-')
  await write(name, 1, [red('x')])
  const file = join(folder, name, 'report.json')
  const text = readFileSync(file, 'utf8')
  expect(text).toMatch(from)
  writeFileSync(file, text.replace(from, to))
  const { exitCode, stdout, stderr } = await leakrig('report', 'merge', name)
  expect(stderr).toMatch(mistake)
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
})

test('on GitHub no line of what is read is a command, nor before anything is run', async () => {
  const list = 'x\n::error::pwned ##[error]pwned\n'
  writeFileSync(join(folder, 'hostile.json'), list)
  const { stdout, stderr } = await execa(
    process.execPath,
    [program, 'report', 'merge', 'one', '--known', 'hostile.json'],
    { reject: false, cwd: folder, env: { INIT_CWD: folder, GITHUB_ACTIONS: 'true' } },
  )
  expect(stderr).toMatch(/^leakrig: .* cannot be read as JSON: .*$/)
  expect(stderr).not.toContain('##[')
  expect(stdout).toMatch(/^::stop-commands::([\da-f-]+)\n::\1::$/)
})

test('two shards of a real run, merged, are the whole run', { tags: ['long', 'nightly'] }, async () => {
  needsNamespaces()
  const sharded = (index: number) =>
    leakrig(
      'catalogue',
      'plain × killed',
      'stopped × killed',
      ...['--sandbox', 'namespace', '--shard', `${index}/2`, '--report', `real-${index}`],
    )
  for (const index of [1, 2]) expect((await sharded(index)).exitCode).toBe(0)
  const { exitCode, stdout } = await leakrig('report', 'merge', 'real-1', 'real-2', '--report', 'real')
  expect(exitCode).toBe(0)
  const { scenarios, run } = readReport(join(folder, 'real/report.json'))
  expect(scenarios.map(({ name }) => name).toSorted()).toEqual(
    expect.arrayContaining(['plain × killed', 'stopped × killed']),
  )
  expect(run).toMatchObject({ command: 'catalogue', selection: ['plain × killed', 'stopped × killed'] })
  expect(stdout).toContain('| **all** ')
})
