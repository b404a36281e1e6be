import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { writeJson } from '../../cli/write-file.ts'
import { formMistakes, publishedForms } from '../../report/form.ts'
import { schemaTexts } from '../../report/json-schema.ts'
import { reportSchema, withoutTimelines } from '../../report/report.ts'
import { foundByAjv } from '../support/published.ts'
import { aFinding, aReport, green, red } from '../support/reports.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leakrig-form-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const known = {
  system: 'mine',
  scenario: 's',
  mechanism: 'not-removed',
  count: 2,
  reason: 'r',
  expires: '2027-01-31',
}
const report = (): Record<string, unknown> =>
  JSON.parse(JSON.stringify(withoutTimelines(aReport([green('a'), red('b')]))))

/** The report with one value changed; undefined takes it out. */
function changed(path: string, value: unknown): unknown {
  const whole = report()
  const names = path.split('.')
  const last = names.pop() ?? ''
  const parent = names.reduce<Record<string, unknown>>(
    (at, name) => at[name] as Record<string, unknown>,
    whole,
  )
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return whole
}

test('the published schemas are those of the types', () => {
  for (const [name, text] of Object.entries(schemaTexts()))
    expect(readFileSync(join(projectRoot, 'schemas', `${name}.schema.json`), 'utf8')).toBe(text)
})

test('a report, a list of known leaks and time lines have their forms, for us and for another validator', () => {
  const lives = [{ id: 'i', kind: 'process' as const, what: 'w', from: 0, process: { pid: 2, ppid: 1 } }]
  const timeline = { startedAt: 1, endedAt: 2, steps: [{ what: 'deploy', at: 1 }], samples: [], lives }
  const files = {
    report: report(),
    timelines: { schemaVersion: 2, timelines: [{ system: 'mine', name: 'a', timeline }] },
    known: { $schema: 'known.schema.json', known: [known] },
  }
  for (const [name, form] of Object.entries(publishedForms)) {
    const key = name as keyof typeof files
    expect(formMistakes(form, files[key])).toEqual([])
    expect(foundByAjv(key, files[key])).toEqual([])
  }
})

test.for<[path: string, value: unknown, mistake: string]>([
  ['schemaVersion', 3, 'schemaVersion: expected 2, and found 3'],
  ['run.command', 'dance', 'run.command: expected "scenarios" or "catalogue" or "soak", and found "dance"'],
  ['run', undefined, 'run: is missing; expected an object'],
  ['run.shard', { index: 0, count: 2 }, 'run.shard.index: expected more than 0, and found 0'],
  ['startedAt', 'now', 'startedAt: expected a time such as "2027-01-31T12:00:00.000Z", and found "now"'],
  ['exitCode', '1', 'exitCode: expected a number, and found "1"'],
  [
    'scenarios.1.verdicts.0.leaks.0.mechanism',
    'magic',
    'scenarios[1].verdicts[0].leaks[0].mechanism: expected "session-not-ended" or',
  ],
  [
    'scenarios.0.verdicts.0.counts.peak.files.prompt',
    -1,
    'scenarios[0].verdicts[0].counts.peak.files.prompt: expected at least 0, and found -1',
  ],
  ['scenarios.0.verdict', null, 'scenarios[0].verdict: expected "pass" or'],
  ['errors', {}, 'errors: expected a list, and found {}'],
])('a report with a wrong %s is refused, by us in one sentence', ([path, value, mistake]) => {
  const wrong = changed(path, value)
  expect(formMistakes(reportSchema, wrong)).toEqual([expect.stringContaining(mistake)])
  expect(foundByAjv('report', wrong)).not.toEqual([])
})

test('a field that a later version adds is no mistake for a reader', () => {
  const later = changed('scenarios.0.verdicts.0.weather', 'fine')
  expect(formMistakes(reportSchema, later)).toEqual([])
  expect(foundByAjv('report', later)).toEqual([])
})

test('a report of ours that has another form than the published one is written, and its mistake is named as our fault', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  const file = join(folder, 'report.json')
  const write = (data: unknown) => writeJson(file, data as object, reportSchema)
  expect(write(report())).toBe(true)
  expect(said).not.toHaveBeenCalled()
  expect(write(changed('scenarios.0.durationMs', 'long'))).toBe(false)
  expect(said).toHaveBeenLastCalledWith(
    `leakrig: ${file} was written, and does not have the form that schemas/ promises: scenarios[0].durationMs: expected a number, and found "long". This is a fault of leakrig: please report it with this line.`,
  )
  expect(readFileSync(file, 'utf8')).toContain('"durationMs": "long"')
  const finding = { ...aFinding(), weather: 'fine' }
  expect(write(changed('scenarios.1.verdicts.0.leaks.0', finding))).toBe(false)
  expect(said).toHaveBeenLastCalledWith(
    expect.stringContaining('scenarios[1].verdicts[0].leaks[0].weather: unknown field'),
  )
})
