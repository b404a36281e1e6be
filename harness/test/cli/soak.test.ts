import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { expect, onTestFinished, test } from 'vitest'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { poll } from '../../poll.ts'
import { readProcesses } from '../../probe/processes.ts'

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')

const soak = (...args: string[]) =>
  execa(process.execPath, [program, 'soak', ...args], { reject: false, detached: true })

const refused: [words: string[], sentence: string][] = [
  [
    ['--for', '10'],
    '--for "10" is refused: expected a duration with its unit (s, m or h), such as 90s, 10m or 2h.',
  ],
  [['--agents', '0'], '--agents "0" is refused: expected a whole number from 1 to 50.'],
  [['--seed', 'x'], '--seed "x" is refused: expected a whole number from 1 to 2147483647.'],
]

test.for(refused)('%j is wrong usage', async ([words, sentence]) => {
  const { exitCode, stderr } = await soak(...words)
  expect(stderr).toBe(`leakrig: ${sentence}`)
  expect(exitCode).toBe(2)
})

test('two rounds are too few: nothing is claimed, and everything is in the report', async () => {
  needsNamespaces()
  const folder = mkdtempSync(join(tmpdir(), 'leakrig-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const report = join(folder, 'report')
  const words = [
    '--sandbox',
    'namespace',
    '--seed',
    '5',
    '--repeat',
    '2',
    '--agents',
    '2',
    '--report',
    report,
    '--junit',
    join(folder, 'soak.xml'),
  ]
  const { exitCode, stdout } = await soak(...words)
  expect(stdout).toMatch(
    /^leakrig: soak, system hybrid, sandbox namespace \(requested\)\nat most 2 rounds with 2 agents each; --seed 5 draws the same agents again\ntoo few to pass: it takes 13 rounds to show a leak, and 42 to pass \(--repeat 42\)\n/,
  )
  expect(stdout).toMatch(/^ {4}4 agents .* s · sessions 1 · processes \d+ · /m)
  expect(stdout).toContain(
    'Inconclusive with 2 rounds of 2 agents: it takes 13 rounds to show a leak, and\n42 to pass (--repeat 42).',
  )
  expect(exitCode).toBe(3)
  expect(readFileSync(join(folder, 'soak.xml'), 'utf8')).toContain('tests="1" failures="0" errors="1"')
  const { scenarios } = JSON.parse(readFileSync(join(report, 'report.json'), 'utf8'))
  expect(scenarios).toMatchObject([{ name: 'soak', verdict: 'inconclusive', soak: { seed: 5, warmUp: 1 } }])
  expect(scenarios[0].soak.rounds.map(({ agents }: { agents: number }) => agents)).toEqual([0, 2, 4])
  expect(readFileSync(join(report, 'soak.svg'), 'utf8')).toContain('hybrid: what there is after 4 agents')
})

test('Ctrl-C ends it with the slopes until then, and leaves no process', { timeout: 180_000 }, async () => {
  needsNamespaces()
  const rig = soak('--sandbox', 'namespace', '--agents', '2')
  let printed = ''
  rig.stdout.on('data', text => {
    printed += text
  })
  expect(await poll(100_000, async () => printed.includes('    2 agents ') || undefined)).toBe(true)
  const all = readProcesses()
  const below = (pid: number): string[] =>
    all.filter(({ ppid }) => ppid === pid).flatMap(one => [one.id, ...below(one.pid)])
  const known = below(rig.pid ?? 0)
  expect(known.length).toBeGreaterThan(3)
  process.kill(-(rig.pid ?? 0), 'SIGINT')
  const { exitCode, stdout } = await rig
  expect(stdout).toMatch(/^1 round of 2 agents \(2\); the first one warms up|^[2-9] rounds of 2 agents/m)
  expect(stdout).toContain('interrupted by SIGINT; until then:')
  expect(exitCode).toBe(130)
  const isThere = () => readProcesses().some(({ id, state }) => state !== 'Z' && known.includes(id))
  expect(await poll(30_000, async () => !isThere() || undefined)).toBe(true)
})
