import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { execa } from 'execa'
import open from 'open'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { testProgram } from '../../../bin/programs.ts'
import { writeReportFolder } from '../../cli/report-folder.ts'
import { openReport } from '../../cli/report-open.ts'
import { aReport, green } from '../support/reports.ts'

// A test starts nobody's browser.
vi.mock('open')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leakrig-open-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the command, without a display unless `env` has one. */
async function leakrig(args: string[], env: Record<string, string> = {}) {
  const { PATH = '', HOME = folder } = process.env
  return execa(process.execPath, [testProgram('leakrig'), ...args], {
    ...{ cwd: folder, env: { PATH, HOME, ...env }, extendEnv: false, reject: false },
  })
}

describe('a report', () => {
  // A name that a shell would not leave as it is.
  const name = `it's a $(touch owned) & "report" #1%`
  beforeAll(() => writeReportFolder(join(folder, name), aReport([green('a completion')])))

  test('has its page beside the JSON and the trace', () => {
    expect(readFileSync(join(folder, name, 'index.html'), 'utf8')).toMatch(/^<!doctype html>/)
  })

  test('is named where there is no display', async () => {
    const { stdout, stderr, exitCode } = await leakrig(['report', 'open', name])
    expect(stdout).toBe(join(folder, name, 'index.html'))
    expect(stderr).toBe('leakrig: There is no display here: open this file in a browser.')
    expect(exitCode).toBe(0)
  })

  describe('where there is a display', () => {
    const printed: string[] = []
    beforeEach(() => {
      printed.length = 0
      vi.stubEnv('DISPLAY', ':0')
      for (const name of ['log', 'error'] as const)
        vi.spyOn(console, name).mockImplementation(text => void printed.push(text))
    })
    afterEach(() => {
      vi.unstubAllEnvs()
      vi.restoreAllMocks()
      vi.mocked(open).mockReset()
    })

    test('opens in the browser, which gets the address of the page and nothing else', async () => {
      const page = join(folder, name, 'index.html')
      await openReport(join(folder, name))
      expect(vi.mocked(open).mock.calls).toEqual([[pathToFileURL(page).href]])
      expect(printed).toEqual([page])
    })

    test('is named where no browser starts', async () => {
      vi.mocked(open).mockRejectedValue(new Error('spawn xdg-open ENOENT'))
      await openReport(join(folder, name))
      expect(printed[1]).toBe(
        'leakrig: No browser could be started (spawn xdg-open ENOENT): open this file in one.',
      )
    })
  })
})

describe('wrong usage is one sentence and exit code 2:', () => {
  beforeAll(async () => {
    writeFileSync(join(folder, 'a-file'), '')
    for (const name of ['empty', 'other']) mkdirSync(join(folder, name))
    writeFileSync(join(folder, 'other', 'report.json'), '{"name": "another tool"}')
    await writeReportFolder(join(folder, 'no-page'), aReport([green('a completion')]))
    rmSync(join(folder, 'no-page/index.html'))
  })

  test.for([
    [
      ['nowhere'],
      /^leakrig: The report \S+\/nowhere cannot be opened: it does not exist; name a folder that --report made\.$/,
    ],
    [['a-file'], /it is a file; name a folder that --report made\.$/],
    [['empty'], /it has no report\.json of leakrig; name a folder/],
    [['other'], /it has no report\.json of leakrig; name a folder/],
    [['no-page'], /it has no index\.html; make it anew with --report\.$/],
    [[], /^leakrig: missing required argument 'folder'$/],
    [['one', 'two'], /^leakrig: too many arguments for 'open'/],
    [['--browser', 'x'], /^leakrig: unknown option '--browser'/],
  ] as const)('report open %j', async ([args, sentence]) => {
    const { stdout, stderr, exitCode } = await leakrig(['report', 'open', ...args])
    expect(stderr).toMatch(sentence)
    expect(stderr.split('\n')).toHaveLength(1)
    expect([stdout, exitCode]).toEqual(['', 2])
  })
})
