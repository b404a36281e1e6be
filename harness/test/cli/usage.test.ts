import { execFileSync, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { UsageError } from '../../cli/exit.ts'
import { runScenarios } from '../../cli/scenarios.ts'
import { requireFiles, requireNames } from '../../cli/selection.ts'
import { openVitest } from '../../cli/vitest.ts'
import { ScenarioReporter } from '../../report/reporter.ts'
import * as sandboxes from '../../sandbox/start.ts'

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')
const folder = join(tmpdir(), `leakrig-usage-${randomUUID()}`)
// Not while the file is loaded: where a filter leaves out all its tests, nothing would remove it.
beforeAll(() => mkdirSync(folder))
afterAll(() => rmSync(folder, { recursive: true }))

const open = (rest: string[]) =>
  openVitest(rest, { projects: ['scenarios'], reporter: new ScenarioReporter(), workers: 1 })

const wrong: [string[], RegExp][] = [
  [['--shard', '3/2'], /^--shard <index> must be .*: Vitest refuses its options/],
  [['--shard', 'x'], /^--shard <count> must be .*: Vitest refuses its options/],
  [['--reporter', 'nosuch'], /^Failed to load custom Reporter from nosuch: Vitest refuses/],
  [['--coverage'], /^--coverage needs the package @vitest\/coverage-v8, which is not installed: npm install/],
  [['--reporter', 'junit'], /^--reporter junit writes a file: name it with --outputFile FILE\.$/],
  [['--reporter=junit', '--outputFile.json=x'], /^--reporter junit writes a file/],
  [['--project', 'nosuch'], /^--project is set by leakrig itself/],
  [['--config', 'nosuch'], /^--config is set by leakrig itself/],
  [['--retry', '2'], /^--retry is set by leakrig itself/],
  [['--no-watch'], /^--watch is set by leakrig itself/],
]

test.for(wrong)('%s is wrong usage', async ([rest, sentence]) => {
  const error = await open(rest).catch(error => error)
  expect(error).toBeInstanceOf(UsageError)
  expect(error.message).toMatch(sentence)
})

test('more shards than files are wrong usage', async () => {
  const vitest = await open(['--shard', '1/99'])
  onTestFinished(() => vitest.close())
  await expect(requireFiles(vitest, [])).rejects.toThrow(
    /^99 shards are more than there are files of scenarios \(4\)/,
  )
  await expect(requireFiles(vitest, ['3-'])).rejects.toThrow(
    /^99 shards are more than there are files of scenarios \(1\)/,
  )
})

test('an unknown name is refused before any sandbox starts', async () => {
  const choose = vi.spyOn(sandboxes, 'chooseSandbox')
  const options = { system: 'hybrid', sandbox: 'namespace' } as const
  await expect(runScenarios(options, ['-t', 'lunch', '2-'])).rejects.toThrow(
    /^No scenario's name matches "lunch"/,
  )
  expect(choose).not.toHaveBeenCalled()
})

test.for([
  [
    { json: 'x.json', list: true },
    [],
    /^--json "x.json" is refused: .* --list runs nothing; leave one of them out\.$/,
  ],
  [{}, ['--keep=1'], /^--keep takes no value: write --keep alone\.$/],
  [{}, ['/etc/passwd'], /^No scenario matches "\/etc\/passwd"; the scenarios are /],
  [{}, ['--shard', '3/2'], /^--shard <index> must be .*: Vitest refuses its options/],
] as const)('%j %j is refused before any sandbox starts', async ([more, rest, sentence]) => {
  const choose = vi.spyOn(sandboxes, 'chooseSandbox')
  choose.mockClear()
  const options = { system: 'hybrid', sandbox: 'namespace', ...more } as const
  await expect(runScenarios(options, [...rest])).rejects.toThrow(sentence)
  expect(choose).not.toHaveBeenCalled()
})

test('a name in another shard is not found', async () => {
  const outcomes = ['1/2', '2/2'].map(async shard => {
    const vitest = await open(['-t', 'ten agents', '--shard', shard])
    onTestFinished(() => vitest.close())
    return requireNames(vitest, []).catch(error => error.message)
  })
  expect(await Promise.all(outcomes)).toEqual([
    expect.stringMatching(/^No scenario's name in this shard matches "ten agents"/),
    undefined,
  ])
})

test('an option of ours that is given twice is wrong usage', () => {
  const args = ['scenarios', '--system', 'none', '--system', 'hybrid']
  const { status, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
  expect(stderr).toMatch(/^leakrig: --system "\w+" is refused: expected it only once\.\n$/)
  expect(status).toBe(2)
})

test.for([
  ['scenarios --json --list', "option '--json <file>' needs a file name, not another option"],
  ['catalogue --json --keep', "option '--json <file>' needs a file name, not another option"],
  ['scenarios --json -t', "option '--json <file>' needs a file name, not another option"],
  ['scenarios --workers --list', "option '--workers <n>' needs a value, not another option"],
  ['catalogue --shard 3/2', '--shard "3/2" is refused: expected a part of all of them, such as 2/5.'],
  [
    'catalogue --shard 1/2 --update-known',
    '--update-known is refused with --shard: each shard knows only a part; give it to `leakrig report merge`.',
  ],
  ['report merge', "missing required argument 'folder'"],
  ['catalogue --shard 2', '--shard "2" is refused: expected a part of all of them, such as 2/5.'],
  ['catalogue --shard 1/11', '11 shards are more than there are files of scenarios (10): use fewer shards.'],
  ['orchestrator --strategy --strategy', "option '--strategy <name>' needs a value, not another option"],
  ['orchestrator --stratgy none', "unknown option '--stratgy' (Did you mean --strategy?)"],
  ['catalogue --sytem none', "unknown option '--sytem' (Did you mean --system?)"],
  ['catalogue --x\ny', "unknown option '--x\\u{a}y'"],
  ['bogus', `unknown command 'bogus'; "leakrig --help" lists the commands`],
  ['scenrios', "unknown command 'scenrios' (Did you mean scenarios?)"],
] as const)('%j is wrong usage: one line, and nothing runs', ([words, sentence]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words.split(' ')], {
    encoding: 'utf8',
    cwd: folder,
  })
  expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: `leakrig: ${sentence}\n` })
  expect(readdirSync(folder)).toEqual([])
})

test('--version is that of package.json', () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'))
  expect(execFileSync(process.execPath, [program, '--version'], { encoding: 'utf8' })).toBe(`${version}\n`)
})
