import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { needsNamespaces } from '../../../test/namespaces.ts'
import { readReport } from '../support/published.ts'

const program = join(import.meta.dirname, '../../../bin/leakrig.ts')
let folder = ''

beforeAll(() => {
  // In the project, which is visible in a sandbox. Root's sandbox runs as nobody.
  const parent = join(projectRoot, '.leakrig')
  mkdirSync(parent, { recursive: true })
  folder = mkdtempSync(join(parent, 'test-'))
  chmodSync(folder, 0o755)
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

async function leakrig(args: string[], env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [program, ...args], {
    env,
    reject: false,
  })
  return { exitCode, stdout, stderr }
}

const wrong: [string, string[], RegExp][] = [
  ['an unknown command', ['dance'], /unknown command 'dance'/],
  [
    'an unknown system',
    ['scenarios', '--system', 'perfect'],
    /--system "perfect" is refused: expected one of none, immediate/,
  ],
  [
    'an unknown sandbox',
    ['scenarios', '--sandbox', 'vm'],
    /--sandbox "vm" is refused: expected one of auto, container, namespace/,
  ],
  ['an unknown flag', ['scenarios', '--fast'], /`--fast`: neither leakrig nor Vitest accepts that/],
  ['a flag without its value', ['scenarios', '-t'], /value is missing/],
  [
    'an unknown scenario',
    ['scenarios', 'lunch', '--sandbox', 'namespace'],
    /No scenario matches "lunch"; the scenarios are scenarios\/1-/,
  ],
  [
    'an unknown system of the catalogue',
    ['catalogue', '--system', 'perfect'],
    / is refused: expected one of none, immediate/,
  ],
  [
    'an unknown strategy',
    ['orchestrator', '--strategy', 'hope'],
    /--strategy "hope" is refused: expected one of /,
  ],
  ['a report that cannot be written', ['scenarios', '--json', '/proc/report.json'], /\/proc/],
]

test.for(wrong)('%s is wrong usage: one sentence and exit 2', async ([, args, sentence]) => {
  const { exitCode, stdout, stderr } = await leakrig(args)
  expect(stderr.trim()).toMatch(sentence)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stdout).toBe('')
  expect(exitCode).toBe(2)
})

test('--list names the scenarios and runs none', async () => {
  // A job that makes a matrix of it has nothing else in its output.
  const { exitCode, stdout } = await leakrig(['scenarios', '--list', 'manual'], { GITHUB_ACTIONS: 'true' })
  expect(exitCode).toBe(0)
  expect(stdout).toBe('scenarios/2-manual-kill.test.ts\n  manual kill in the middle of the work')
})

for (const { args, tags } of [
  { args: [], tags: [] },
  { args: ['manual'], tags: ['long'] },
  { args: ['--list'], tags: ['long'] },
])
  test(`no scenario of that name is wrong usage: ${args}`, { tags }, async () => {
    needsNamespaces()
    const { exitCode, stdout, stderr } = await leakrig([
      'scenarios',
      ...args,
      '-t',
      'lunch',
      '--sandbox',
      'namespace',
    ])
    expect(stderr.trim()).toBe(
      'leakrig: No scenario\'s name matches "lunch"; npm run scenarios -- --list lists the names.',
    )
    expect(stdout).not.toContain('skipped')
    expect(exitCode).toBe(2)
  })

test('-t chooses by name, and the report omits the others', async () => {
  needsNamespaces()
  const listed = await leakrig(['scenarios', '--list', '-t', 'then leaves'])
  expect(listed.stdout.split('\n')).toEqual([
    'scenarios/1-normal-completion.test.ts',
    '  normal completion of an agent that then leaves by itself',
  ])
  const ran = await leakrig(['scenarios', '-t', 'manual', '--sandbox', 'namespace'])
  expect(ran.stdout).toMatch(/✓ back in .* manual kill/)
  expect(ran.stdout).toContain('1 pass; system hybrid')
  expect(ran.stdout).not.toContain('skipped')
  expect(ran.exitCode).toBe(0)
})

test.for([
  'lunch',
  // A misspelt filter beside a right one would silently run less than was meant.
  'own-session × killed, lunch',
])('no cell of that name is wrong usage: %s', async words => {
  const filter = words.split(', ')
  const { exitCode, stdout, stderr } = await leakrig(['catalogue', ...filter])
  expect(stderr.trim()).toBe(
    'leakrig: No cell\'s name contains "lunch"; npm run scenarios:catalogue -- --list lists the names.',
  )
  expect(stdout).toBe('')
  expect(exitCode).toBe(2)
})

test('the catalogue prints a line for each cell, then the table, and exits with 1 when one system leaks', async () => {
  needsNamespaces()
  const json = join(folder, 'catalogue.json')
  const cell = 'own-session, not contained × killed'
  const args = ['catalogue', cell, '--system', 'none', '--system', 'immediate', '--sandbox', 'namespace']
  const [junit, summary] = [join(folder, 'junit.xml'), join(folder, 'summary.md')]
  writeFileSync(summary, '# before\n')
  const github = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary }
  const { exitCode, stdout } = await leakrig([...args, '--json', json, '--junit', junit], github)
  // The files of a failed cell are copied to the folder that the next run would use.
  rmSync(join(projectRoot, '.leakrig/own-session-not-contained-killed'), { recursive: true })
  expect(stdout).toMatch(/✗ \d+ leaked +own-session, not contained × killed/)
  expect(stdout).toMatch(/✓ back in .* +own-session, not contained × killed/)
  expect(stdout).toMatch(/\| own-session, not contained \| 0\/1 +\| 1\/1 +\|/)
  expect(readFileSync(junit, 'utf8')).toMatch(/<testsuites name="leakrig" tests="2" failures="1" errors="0"/)
  expect(readFileSync(summary, 'utf8')).toMatch(/^# before\n## leakrig: 1 pass, 1 leak\n/)
  // What the rig prints is no command of the workflow, until its own annotations.
  expect(stdout).toMatch(
    /^::stop-commands::(\S+)\nleakrig: .*\n::\1::\n::error title=own-session%2C not contained × killed \(none\)[^\n]*$/s,
  )
  expect(readReport(json)).toMatchObject({
    schemaVersion: 2,
    exitCode: 1,
    systems: ['none', 'immediate'],
    scenarios: [
      { system: 'none', name: cell, verdict: 'leak' },
      { system: 'immediate', name: cell, verdict: 'pass' },
    ],
  })
  expect(exitCode).toBe(1)
})

test('the scenarios leave the catalogue out until it is named', async () => {
  const plain = await leakrig(['scenarios', '--list'])
  expect(plain.stdout.match(/^\S.*/gm)).toEqual([
    'scenarios/1-normal-completion.test.ts',
    'scenarios/2-manual-kill.test.ts',
    'scenarios/3-crash.test.ts',
    'scenarios/4-ten-agents.test.ts',
  ])
  const named = await leakrig(['scenarios', '--list', 'catalogue'])
  expect(named.stdout).toContain('  own-session+hup-ignored+stopped × crashed')
})

test('catalogue --list names its cells in the order of the files, and runs none', async () => {
  const { exitCode, stdout } = await leakrig(['catalogue', '--list', '× killed', 'bare-daemon ×'])
  expect(exitCode).toBe(0)
  const files = stdout.match(/^scenarios\/catalogue\/\d/gm) ?? []
  expect(files.length).toBeGreaterThan(5)
  expect(files).toEqual(files.toSorted())
  const cells = stdout.match(/^ {2}.*/gm) ?? []
  expect(cells).toContain('  bare-daemon × crashed')
  expect(cells.filter(name => !/× killed$|bare-daemon ×/.test(name))).toEqual([])
})

test('catalogue --help lists the exit codes', async () => {
  const { stdout } = await leakrig(['catalogue', '--help'])
  expect(stdout).toMatch(/^Exit codes: 0 every cell passed, 1 a leak or collateral, 2 wrong usage, 3 /m)
})

test('a reporter of Vitest works beside ours', { tags: ['long'] }, async () => {
  needsNamespaces()
  const xml = join(folder, 'junit.xml')
  const args = ['scenarios', 'manual', '--sandbox', 'namespace', '--reporter', 'junit', '--outputFile', xml]
  const { exitCode, stdout } = await leakrig(args)
  expect(stdout).toMatch(
    /back in .* manual kill in the middle of the work\n +sessions \d+→[1-9]\d*→\d+ · claude 0→1→0 · processes /,
  )
  expect(readFileSync(xml, 'utf8')).toContain('manual kill in the middle of the work')
  expect(exitCode).toBe(0)
})

test('without tmux the rig cannot measure: one sentence and exit 3', async () => {
  needsNamespaces()
  const { exitCode, stderr } = await leakrig(['scenarios', '--sandbox', 'namespace'], {
    PATH: pathWith('no-tmux', {}),
  })
  expect(stderr).toMatch(
    /^leakrig: The rig needs tmux 3\.2 or newer in the namespace sandbox, and found no tmux: install it/,
  )
  expect(exitCode).toBe(3)
})

test('an old tmux is refused', async () => {
  needsNamespaces()
  const { exitCode, stderr } = await leakrig(['scenarios', '--sandbox', 'namespace'], {
    PATH: pathWith('old-tmux', { tmux: 'echo tmux 3.1c' }),
  })
  expect(stderr).toMatch(/needs tmux 3\.2 or newer .* found tmux 3\.1c/)
  expect(exitCode).toBe(3)
})

test('without the right to unshare the rig cannot measure', async () => {
  const refused = 'echo "unshare: unshare failed: Operation not permitted" >&2; exit 1'
  const { exitCode, stderr } = await leakrig(['scenarios', '--sandbox', 'namespace'], {
    PATH: pathWith('no-right', { unshare: refused }),
  })
  expect(stderr).toMatch(/needs the right to unshare, and was refused it .*Operation not permitted.*\): \w/)
  expect(exitCode).toBe(3)
})

const tools = ['sh', 'mount', 'umount', 'mkdir', 'chmod', 'cp', 'ln', 'unshare', 'setpriv', 'bash', 'ps']

/** A PATH with everything that the sandbox needs except tmux, and with stand-ins in front. */
function pathWith(name: string, standIns: Record<string, string>): string {
  const bin = join(folder, name)
  mkdirSync(bin)
  for (const tool of tools) {
    if (!(tool in standIns)) symlinkSync(`/usr/bin/${tool}`, join(bin, tool))
  }
  for (const [tool, script] of Object.entries(standIns)) {
    writeFileSync(join(bin, tool), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  }
  return bin
}
