import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa, execaSync } from 'execa'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { UsageError } from '../../cli/exit.ts'
import { mergeReports } from '../../cli/merge.ts'
import { type OutputOptions, requireOutputs } from '../../cli/outputs.ts'
import { reportFiles, requireReportFolder, writeReportFolder } from '../../cli/report-folder.ts'
import { openReport } from '../../cli/report-open.ts'
import type { Rig } from '../../rig/rig.ts'
import { aReport, aRun, green } from '../support/reports.ts'

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')
let folder = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'leakrig-links-'))
  const run = aRun({ shard: { index: 1, count: 1 } })
  for (const name of ['green', 'lines'])
    await writeReportFolder(join(folder, name), aReport([green('a')], { run }))
  const put = (...path: string[]) => join(folder, ...path)
  for (const name of ['fifo', 'no-end']) mkdirSync(put(name))
  rmSync(put('lines/timelines.json'))
  const fifos = [
    'fifo/report.json',
    'fifo/leakrig.known.json',
    'lines/timelines.json',
    'fifo.json',
    'fifo.ts',
  ]
  execaSync(
    'mkfifo',
    fifos.map(name => put(name)),
  )
  symlinkSync('/dev/zero', put('no-end/leakrig.known.json'))
  symlinkSync('loop', put('loop'))
  writeFileSync(put('large.json'), Buffer.alloc(16e6 + 1, ' '))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A command that hangs is ended, which is no exit code. */
const leakrig = (args: string[], cwd = folder) =>
  execa(process.execPath, [program, ...args], {
    reject: false,
    cwd,
    env: { INIT_CWD: cwd },
    timeout: 30_000,
    killSignal: 'SIGKILL',
  })

const regular = /^leakrig: \S+ cannot be read as (JSON|a configuration): it is no regular file\.$/
test.for<[args: string[], cwd?: string]>([
  [['report', 'merge', 'fifo', 'fifo']],
  [['report', 'merge', 'lines']],
  [['report', 'merge', '../green'], 'fifo'],
  [['report', 'merge', '../green'], 'no-end'],
  [['scenarios', '--config', 'fifo.json']],
  [['reproduce', 'own-session', '--config', 'fifo.ts']],
])('%j waits for no FIFO, and reads no device: one sentence', async ([args, cwd = '.']) => {
  const { exitCode, stdout, stderr } = await leakrig(args, join(folder, cwd))
  expect(stderr).toMatch(regular)
  expect(stderr.split('\n')).toHaveLength(1)
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
})

test('a configuration that is a link to nothing is not passed over for our own system', async () => {
  const own = mkdtempSync(join(folder, 'nothing-'))
  symlinkSync('moved.ts', join(own, 'leakrig.config.ts'))
  const { exitCode, stdout, stderr } = await leakrig(['scenarios', 'normal'], own)
  expect(stderr).toBe(
    `leakrig: ${own}/leakrig.config.ts cannot be read as a configuration: there is no such file.`,
  )
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
})

const merge = (from: string, known?: string) => mergeReports(known === undefined ? {} : { known }, [from])
const anew = 'name folders that --report made.'
test.for<[what: string, call: () => Promise<unknown>, sentence: RegExp]>([
  ['a FIFO', () => merge('fifo.json'), /cannot be read as JSON: it is no regular file\.$/],
  ['a large list', () => merge('green', 'large.json'), /cannot be read as JSON: it has more than 16 MB\.$/],
  ['a list that is a circle', () => merge('green', 'loop'), /cannot be read as JSON: ELOOP.*\.$/],
  ['a circle', () => merge('loop'), new RegExp(`^\\S+/loop cannot be merged: ELOOP: .*; ${anew}$`)],
  ['nothing', () => merge('none'), new RegExp(`^\\S+/none cannot be merged: it does not exist; ${anew}$`)],
  [
    'an empty name',
    () => merge(''),
    /^An empty name is refused: name a file or a folder; \. is the current one\.$/,
  ],
  ['a list without a name', () => merge('green', ''), /^An empty name is refused/],
  [
    'a page in a circle',
    () => openReport('loop'),
    /cannot be opened: ELOOP: .*; name a folder that --report made\.$/,
  ],
  ['a page beside a FIFO', () => openReport('fifo'), /it has no report\.json of leakrig; name a folder/],
  ['a page without a name', () => openReport(''), /^An empty name is refused/],
])('%s is refused in one sentence', async ([, call, sentence]) => {
  vi.stubEnv('INIT_CWD', folder)
  onTestFinished(() => void vi.unstubAllEnvs())
  await expect(call()).rejects.toThrow(UsageError)
  await expect(call()).rejects.toThrow(sentence)
})

let own = ''
beforeEach(() => {
  own = mkdtempSync(join(folder, 'own-'))
  onTestFinished(() => rmSync(own, { recursive: true }))
})

/** A report folder that has something in place of its page, and a file beside it. */
async function folderWith(
  put: (page: string, victim: string) => void,
): Promise<{ report: string; victim: string }> {
  const [report, victim] = [join(own, 'report'), join(own, 'victim')]
  writeFileSync(victim, 'mine')
  await writeReportFolder(report, aReport([green('a')]))
  const page = join(report, reportFiles.page)
  rmSync(page)
  put(page, victim)
  return { report, victim }
}

test.for<[what: string, why: string, put: (page: string, victim: string) => void]>([
  ['a link', 'it is a link', page => symlinkSync('../victim', page)],
  ['a second name', 'it has another name elsewhere', (page, victim) => linkSync(victim, page)],
])('nothing outside of the folder of a report is written: %s', async ([, why, put]) => {
  const { report, victim } = await folderWith(put)
  expect(() => requireReportFolder(report)).toThrow(`${report}/index.html (${why})`)
  // It may have come during the run.
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  expect(await writeReportFolder(report, aReport([green('a')]))).toBe(false)
  expect(said.mock.calls.flat()).toEqual([
    expect.stringContaining(`index.html (${why}): what was measured is above`),
  ])
  expect(readFileSync(victim, 'utf8')).toBe('mine')
  expect(readdirSync(report)).toHaveLength(4)
})

test.for(['{"schemaVersion": 2, "scenarios": []}', '{"schemaVersion": 2, "exitCode": 0, "scenarios": [1]}'])(
  'a folder whose report.json is %s is not overwritten',
  text => {
    writeFileSync(join(own, 'report.json'), text)
    expect(() => requireReportFolder(own)).toThrow('which has files and no report of leakrig')
  },
)

test('a report of the first schemaVersion is an older report', () => {
  const scenario = { file: 'a.test.ts', name: 'a', verdict: 'pass', durationMs: 1 }
  const first = {
    schemaVersion: 1,
    startedAt: new Date().toISOString(),
    durationMs: 1,
    system: 'none',
    exitCode: 0,
  }
  writeFileSync(join(own, 'report.json'), JSON.stringify({ ...first, scenarios: [scenario], errors: [] }))
  requireReportFolder(own)
})

test.for([
  [['report', 'so', 'json', 'so/report.json']],
  [['report', 'so', 'junit', 'so/index.html']],
  [['report', 'so', 'junit', 'other/index.html']],
  [['report', 'so', 'json', 'so/deep/x.json']],
  [['json', 'so/x', 'junit', 'other/x']],
] as const)('%j: one output is not written over the other', ([words]) => {
  symlinkSync('so', join(own, 'other'))
  mkdirSync(join(own, 'so'))
  const options: OutputOptions = {}
  for (let at = 0; at < words.length; at += 2) options[words[at] as 'json'] = join(own, words[at + 1] ?? '')
  const refused = /^(Two outputs cannot be written to|\S+ is in the folder of --report, which) .*\.$/
  expect(() => requireOutputs(options)).toThrow(refused)
})

/** A rig of which nothing can be copied. */
const dead = {
  snapshot: () => Promise.reject(new Error('ended')),
  probe: { collect: () => Promise.reject(new Error('ended')) },
} as unknown as Rig

test('files of scenarios are copied through no link', async () => {
  const victims = join(own, 'victims')
  mkdirSync(join(victims, 'a-kill'), { recursive: true })
  writeFileSync(join(victims, 'a-kill/mine'), '')
  mkdirSync(join(own, 'project'))
  vi.resetModules()
  vi.stubEnv('INIT_CWD', join(own, 'project'))
  onTestFinished(() => void vi.unstubAllEnvs())
  const { keep } = await import('../../rig/artefacts.ts')
  const link = join(own, 'project/.leakrig')
  symlinkSync(victims, link)
  expect(await keep(dead, 'a kill')).toEqual({
    notKept: `${link} is no folder itself, and nothing is written through a link: remove it`,
  })
  rmSync(link)
  mkdirSync(link)
  symlinkSync(join(victims, 'a-kill'), join(link, 'a-kill'))
  expect(await keep(dead, 'a kill')).toMatchObject({
    notKept: expect.stringContaining('.leakrig/a-kill is no folder'),
  })
  expect(readdirSync(join(victims, 'a-kill'))).toEqual(['mine'])
  // Neither is the folder of all of them that of one.
  for (const odd of ['', '.', '..', '../x', '/'])
    expect(await keep(dead, odd)).toMatchObject({ kept: expect.stringMatching(/\.leakrig\/(unnamed|-|-x)$/) })
  expect(readdirSync(link)).toContain('a-kill')
})
