import { spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { execa, execaSync } from 'execa'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { UsageError } from '../../cli/exit.ts'
import { type OutputOptions, requireOutputs, writtenText } from '../../cli/outputs.ts'
import { writeReportFolder } from '../../cli/report-folder.ts'
import { requireWritable } from '../../cli/writable.ts'
import { writeJson } from '../../cli/write-file.ts'
import { aReport, aRun, green, red } from '../support/reports.ts'

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')
let folder = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'leakrig-targets-'))
  const run = aRun({ shard: { index: 1, count: 1 } })
  await writeReportFolder(join(folder, 'green'), aReport([green('a')], { run }))
  await writeReportFolder(join(folder, 'red'), aReport([red('a')], { run }))
  mkdirSync(join(folder, 'full'))
  writeFileSync(join(folder, 'full/mine.txt'), 'mine')
  symlinkSync('nowhere', join(folder, 'dangling'))
  symlinkSync('loop', join(folder, 'loop'))
  mkdirSync(join(folder, 'holds-fifo'))
  execaSync('mkfifo', [join(folder, 'fifo'), join(folder, 'holds-fifo/index.html')])
})
afterAll(() => rmSync(folder, { recursive: true }))

/** A command that hangs is ended, which is no exit code. */
const leakrig = (...args: string[]) =>
  execa(process.execPath, [program, ...args], {
    reject: false,
    cwd: folder,
    env: { INIT_CWD: folder },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })

const merge = (from: string, ...args: string[]) => leakrig('report', 'merge', from, ...args)

test.for<[option: keyof OutputOptions, target: string, why: string]>([
  ['report', '/proc/x', '/proc takes no new file: ENOENT'],
  ['report', '/proc/x/y/z', '/proc takes no new file: ENOENT'],
  ['report', '/sys/x', '/sys takes no new file: E'],
  ['report', '/dev/null/x', '/dev/null takes no new file: ENOTDIR'],
  ['report', 'green/report.json', 'which is a file: name a folder.'],
  ['report', 'fifo', 'which is a file: name a folder.'],
  ['report', 'full', 'which has files and no report of leakrig'],
  ['report', 'holds-fifo', 'it is no regular file'],
  ['report', 'dangling', 'it is a link to nothing'],
  ['json', '/proc/y.json', '/proc takes no new file: ENOENT'],
  ['json', 'green', 'it is a folder'],
  ['json', 'green/report.json/x', 'green/report.json takes no new file: ENOTDIR'],
  ['json', 'dangling', 'it is a link to nothing'],
  ['json', 'loop', 'ELOOP'],
  ['json', 'fifo', 'it is no regular file'],
  ['junit', `${'x'.repeat(300)}.xml`, 'ENAMETOOLONG'],
  ['junit', '/proc/y.xml', '/proc takes no new file: ENOENT'],
])('--%s %s is refused in one sentence, and nothing is made', ([option, target, why]) => {
  const before = readdirSync(folder)
  let refusal: unknown
  try {
    requireOutputs({ [option]: resolve(folder, target) })
  } catch (error) {
    refusal = error
  }
  expect(refusal).toBeInstanceOf(UsageError)
  const { message } = refusal as UsageError
  expect(message).toMatch(/^The report cannot be written to .*\.$/)
  expect(message).toContain(why)
  expect(readdirSync(folder)).toEqual(before)
})

test.for([
  ['scenarios', '--report', '/proc/x'],
  ['catalogue', '--json', '/proc/x'],
  ['soak', '--junit', '/proc/x'],
  ['report', 'merge', 'green', '--report', '/proc/x'],
  ['report', 'merge', 'green', '--json', '/dev/stdout'],
])('%j ends at once with exit code 2', async words => {
  const { exitCode, stdout, stderr } = await leakrig(...words)
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr).toMatch(/^leakrig: The report cannot be written to \/\S+ \(.*\.$/)
})

test('a file to which the text of the run goes is refused', () => {
  const file = join(folder, 'text')
  const text = openSync(file, 'w')
  onTestFinished(() => rmSync(file))
  for (const target of [file, '/dev/stdout']) {
    const { status, stderr } = spawnSync(
      process.execPath,
      [program, 'report', 'merge', 'green', '--json', target],
      {
        cwd: folder,
        env: { ...process.env, INIT_CWD: folder },
        stdio: ['ignore', text, 'pipe'],
        encoding: 'utf8',
      },
    )
    expect(stderr).toContain('(the text of the run goes there)')
    expect(status).toBe(2)
  }
  expect(readFileSync(file, 'utf8')).toBe('')
})

test('init names in a sentence what it cannot write', async () => {
  const { exitCode, stderr } = await execa(process.execPath, [program, 'init', 'shell'], {
    reject: false,
    cwd: '/proc',
    env: { INIT_CWD: '/proc' },
  })
  expect(stderr).toMatch(/^leakrig: \/proc\/leakrig\.config\.m?ts cannot be written \(ENOENT.*\.$/)
  expect(exitCode).toBe(2)
})

test('two outputs need two places', async () => {
  const { exitCode, stderr } = await merge('green', '--json', 'x', '--junit', './x')
  expect(stderr).toBe(
    `leakrig: Two outputs cannot be written to ${join(folder, 'x')}: name a place for each.`,
  )
  expect(exitCode).toBe(2)
})

test('missing folders are made, and a line says where each output is', async () => {
  const outputs = ['--report', 'new/a b', '--json', 'new/deep/r.json', '--junit', 'new/r.xml']
  const { exitCode, stdout } = await merge('green', ...outputs)
  onTestFinished(() => rmSync(join(folder, 'new'), { recursive: true }))
  expect(exitCode).toBe(0)
  expect(stdout.split('\n').slice(-3)).toEqual([
    "report: new/a b (npm run leakrig -- report open 'new/a b')",
    'json: new/deep/r.json',
    'junit: new/r.xml',
  ])
  expect(readdirSync(join(folder, 'new')).toSorted()).toEqual(['a b', 'deep', 'r.xml'])
  const files = ['index.html', 'report.json', 'timelines.json', 'trace.json']
  expect(readdirSync(join(folder, 'new/a b')).toSorted()).toEqual(files)
})

test('a device has no line', () => {
  expect(writtenText({ json: '/dev/null' })).toEqual([])
  expect(writtenText({})).toEqual([])
})

test.for([
  ['green', 3],
  ['red', 1],
] as const)('on a full disk %s is no pass: exit code %i', async ([from, code]) => {
  const { exitCode, stdout, stderr } = await merge(from, '--json', '/dev/full', '--junit', `${from}.xml`)
  expect(stderr).toMatch(
    /^leakrig: The report could not be written to \/dev\/full \(ENOSPC.*: what was measured is above\.$/,
  )
  expect(exitCode).toBe(code)
  // The other outputs are there.
  expect(stdout).toMatch(new RegExp(`\njunit: ${from}\\.xml$`))
  rmSync(join(folder, `${from}.xml`))
})

const problems = () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  return said.mock.calls
}

let own = ''
beforeEach(() => {
  own = mkdtempSync(join(folder, 'own-'))
  onTestFinished(() => rmSync(own, { recursive: true }))
})

test('a folder that was removed during the run is made again', async () => {
  const report = join(own, 'gone/report')
  requireWritable(report)
  rmSync(own, { recursive: true })
  expect(await writeReportFolder(report, aReport([green('a')]))).toBe(true)
  expect(existsSync(join(report, 'index.html'))).toBe(true)
})

test('what cannot be written is named in a sentence, and leaves nothing half-written', () => {
  const calls = problems()
  writeFileSync(join(own, 'file'), 'mine')
  expect(writeJson('/dev/full', { a: 1 })).toBe(false)
  expect(writeJson(join(own, 'file/report.json'), { a: 1 })).toBe(false)
  expect(calls.flat()).toEqual([
    expect.stringMatching(/^leakrig: The report could not be written to \/dev\/full \(ENOSPC/),
    expect.stringMatching(/file\/report\.json \(E/),
  ])
  expect(readdirSync(own)).toEqual(['file'])
})

test('a report replaces the one before as a whole, also through a link', () => {
  const [file, link] = [join(own, 'report.json'), join(own, 'link.json')]
  writeFileSync(file, 'before')
  symlinkSync('report.json', link)
  requireWritable(link)
  expect(writeJson(link, { a: 1 })).toBe(true)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ a: 1 })
  expect(lstatSync(link).isSymbolicLink()).toBe(true)
  expect(readdirSync(own).toSorted()).toEqual(['link.json', 'report.json'])
})

test('checking that a report can be written leaves no file and no folder', () => {
  requireWritable(join(own, 'later/report.json'))
  expect(readdirSync(own)).toEqual([])
})
