import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { execaSync } from 'execa'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest'
import { projectRoot } from '../../../bin/programs.ts'
import { annotatedFile } from '../../cli/annotated-file.ts'
import { guardCommands, showOnGithub } from '../../cli/github.ts'
import { annotations } from '../../report/annotations.ts'
import { junitXml } from '../../report/junit.ts'
import type { KnownLeak } from '../../report/known-leak.ts'
import { stepSummary } from '../../report/step-summary.ts'
import { aFinding, aReport, aRun, aVerdict, green, red } from '../support/reports.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leakrig-github-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const claude = aFinding({
  kind: 'process',
  id: '41',
  pid: 41,
  what: 'claude (41), 1.8 MB: claude --print',
  mechanism: 'session-not-ended',
  why: 'below a pane whose session was never ended',
  command: 'ps -p 41',
})
const known: KnownLeak = {
  system: 'mine',
  scenario: 'known',
  mechanism: 'not-removed',
  count: 1,
  reason: 'issue 12',
  expires: '2027-01-31',
}
const mixed = aReport(
  [
    green('a kill'),
    red('a crash', { verdicts: [aVerdict([claude, aFinding()])] }),
    red('known', { verdict: 'known', known: [known] }),
    green('unsure', { verdict: 'inconclusive', verdicts: [], errors: ['tmux did not answer within 5 s'] }),
    green('left out', { verdict: 'skipped', verdicts: [], errors: ['needs kill'] }),
  ],
  {
    durationMs: 12_300,
    startedAt: '2026-12-01T00:00:00.000Z',
    errors: ['a worker ended'],
    fixed: ['gone of "x"'],
  },
)
const shown = { ...mixed, durationMs: 12_300, startedAt: '2026-12-01T00:00:00.000Z' }

test('JUnit: a leak is a failure, what could not be measured an error, and what is known a pass', () => {
  expect(junitXml(shown)).toMatchInlineSnapshot(`
    "<?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="leakrig" tests="7" failures="1" errors="3" skipped="1">
      <testsuite name="mine: scenarios/2-manual-kill.test.ts" timestamp="2026-12-01T00:00:00.000Z" time="4.5" tests="5" failures="1" errors="1" skipped="1">
        <testcase classname="scenarios/2-manual-kill.test.ts" name="a kill" time="0.9"/>
        <testcase classname="scenarios/2-manual-kill.test.ts" name="a crash" time="0.9">
          <failure message="2 leaked" type="leak"><![CDATA[2 leaked        a crash
        sessions 0→1→0 · claude 0→1→0 · processes 1→9→1 · files 0→3→2
        leaked: 2 findings of agent agent-1, seen for 5.0 s:
            1 process      below a pane whose session was never ended
            1 file         nobody removed it, and nobody reads it any more
        claude (41), 1.8 MB: claude --print [a]
        [a] its owner by: its name
        prompt p.txt, 12 bytes
        $ ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p 41
        $ ls -l /tmp/prompt]]></failure>
        </testcase>
        <testcase classname="scenarios/2-manual-kill.test.ts" name="known" time="0.9">
          <system-out><![CDATA[known           known
        sessions 0→1→0 · claude 0→1→0 · processes 1→9→1 · files 0→2→1
        known until 2027-01-31: 1 not-removed of at most 1 (issue 12)]]></system-out>
        </testcase>
        <testcase classname="scenarios/2-manual-kill.test.ts" name="unsure" time="0.9">
          <error message="tmux did not answer within 5 s" type="inconclusive"><![CDATA[inconclusive    unsure
        tmux did not answer within 5 s]]></error>
        </testcase>
        <testcase classname="scenarios/2-manual-kill.test.ts" name="left out" time="0.9">
          <skipped/>
          <system-out><![CDATA[needs kill]]></system-out>
        </testcase>
      </testsuite>
      <testsuite name="leakrig" tests="2" failures="0" errors="2" skipped="0">
        <testcase classname="leakrig" name="an error outside of any scenario">
          <error message="a worker ended"/>
        </testcase>
        <testcase classname="leakrig" name="a known leak that is there no more">
          <error message="gone of &quot;x&quot;"/>
        </testcase>
      </testsuite>
    </testsuites>"
  `)
})

test('an annotation for each red scenario says what leaked, and how to run it again', () => {
  expect(annotations(shown)).toMatchInlineSnapshot(`
    [
      "::error title=a crash (mine)%3A 2 leaked::leaked: 2 findings of agent agent-1, seen for 5.0 s:%0A    1 process      below a pane whose session was never ended%0A    1 file         nobody removed it, and nobody reads it any more%0ARun it again: npm run scenarios -- --system mine -t 'a crash'",
      "::error title=unsure (mine)%3A inconclusive::tmux did not answer within 5 s%0ARun it again: npm run scenarios -- --system mine -t unsure",
      "::error title=a known leak is there no more::gone of "x": take it out with --update-known",
      "::error title=an error outside of any scenario::a worker ended",
    ]
  `)
})

test('GitHub shows ten annotations of a step, so the last one counts the rest', () => {
  const many = annotations(aReport(Array.from({ length: 30 }, (_, at) => red(`cell ${at}`))))
  expect(many).toHaveLength(10)
  expect(many.at(-1)).toBe('::error title=leakrig::and 21 more: the summary of the job has them')
})

test('the summary of a step: outcomes, counts, what leaked, and how to run it again', () => {
  expect(stepSummary(shown)).toMatchInlineSnapshot(`
    "## leakrig: 1 pass, 1 known, 1 leak, 1 inconclusive, 1 skipped

    System <code>mine</code>, sandbox namespace, 12.3 s, exit code 1.

    | outcome | scenario | sessions | claude | processes | files |
    | --- | --- | --- | --- | --- | --- |
    | ✅ back in 400 ms | <code>a kill</code> | 0→1→0 | 0→1→0 | 1→9→1 | 0→1→0 |
    | ❌ 2 leaked | <code>a crash</code> | 0→1→0 | 0→1→0 | 1→9→1 | 0→3→2 |
    | 🟡 known | <code>known</code> | 0→1→0 | 0→1→0 | 1→9→1 | 0→2→1 |
    | ❓ inconclusive | <code>unsure</code> |
    | ➖ skipped | <code>left out</code> |

    Each count is that at the baseline, at the peak, and when everything had settled.

    ### Errors outside of any scenario

    \`\`\`text
    a worker ended
    \`\`\`

    ### Known leaks that are there no more; take them out with --update-known

    \`\`\`text
    gone of "x"
    \`\`\`

    ### ❌ <code>a crash</code>

    \`\`\`text
    leaked: 2 findings of agent agent-1, seen for 5.0 s:
        1 process      below a pane whose session was never ended
        1 file         nobody removed it, and nobody reads it any more
    claude (41), 1.8 MB: claude --print [a]
    [a] its owner by: its name
    prompt p.txt, 12 bytes
    $ ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p 41
    $ ls -l /tmp/prompt
    \`\`\`

    Run it again: <code>npm run scenarios &#45;&#45; &#45;&#45;system mine &#45;t &#39;a crash&#39;</code>

    ### ❓ <code>unsure</code>

    \`\`\`text
    tmux did not answer within 5 s
    \`\`\`

    Run it again: <code>npm run scenarios &#45;&#45; &#45;&#45;system mine &#45;t unsure</code>
    "
  `)
})

test('the summary of a catalogue: a table of its shapes, and the cells that did not pass', () => {
  const cell = (name: string, more = {}) => green(name, { file: 'scenarios/catalogue/1-a.test.ts', ...more })
  const cells = Array.from({ length: 50 }, (_, at) => cell(`plain × ending ${at}`))
  const report = aReport(
    [...cells, cell('stopped × killed', { verdict: 'leak', verdicts: [aVerdict([claude])] })],
    {
      run: aRun({ command: 'catalogue' }),
    },
  )
  const text = stepSummary(report)
  expect(text).toContain('| shape | mine |\n| --- | --- |\n| plain | 50/50 |')
  expect(text).toContain('50 that passed are left out.')
})

const hostile = [
  '![x](https://example.org/a.png) <script>alert(1)</script> @somebody #1 | **b** `c` &amp; ]]>',
  '\n## heading\n::error::forged\u{202e}\u{1b}[2J',
].join('')

test('a hostile name is no Markdown, no HTML, no workflow command and no XML', () => {
  const fence = '````\n# out of the block\n::add-mask::x'
  const report = aReport([red(hostile, { verdicts: [aVerdict([aFinding({ why: fence, what: hostile })])] })])
  const summary = stepSummary(report)
  const outside = summary.replaceAll(/^(`{3,})text\n.*?^\1$/gms, '')
  expect(outside).not.toMatch(/!\[|<script|@somebody|\*\*b|&amp|^##? ?heading|^::/m)
  expect(
    outside
      .split('\n')
      .filter(line => line.startsWith('|'))
      .map(line => line.split('|').length),
  ).toEqual([8, 8, 8])
  expect(summary).not.toMatch(/^# out|^::|[\u{202e}\u{1b}]/mu)
  for (const command of annotations(report)) {
    expect(command).not.toMatch(/[\n\r\u{1b}\u{202e}]/u)
    expect(command.match(/^::error title=[^:]*::/)).not.toBeNull()
  }
  // Between a CDATA section's ends everything is text.
  const xml = junitXml(report).replaceAll(/<!\[CDATA\[.*?\]\]>/gs, '')
  expect(xml).not.toMatch(/<script|forged\]\]|[\u{202e}\u{1b}]/u)
})

test('a text that ends a CDATA section again and again makes no element', () => {
  const forged = ']]> ]]></failure></testcase><testcase classname="x" name="forged"/>'
  const text = `${forged}]]>]]]>]]`
  const results = [
    red('a', { unmet: [text], errors: [text] }),
    green('b', { verdict: 'inconclusive', verdicts: [], errors: [text] }),
    green('c', { verdict: 'skipped', errors: [text] }),
  ]
  const xml = junitXml(aReport(results, { errors: [text] }))
  const outside = xml.replaceAll(/<!\[CDATA\[.*?\]\]>/gs, '')
  expect(outside).not.toContain(']]>')
  expect(outside.match(/<testcase /g)).toHaveLength(4)
})

test('JUnit: a run that did not pass always has something red', () => {
  const interrupted = junitXml(aReport([], { interrupted: 'SIGINT' }))
  expect(interrupted).toContain('tests="1" failures="0" errors="1"')
  expect(interrupted).toContain('SIGINT interrupted the run: scenarios that had not ended are missing.')
  for (const results of [[], [green('left out', { verdict: 'skipped' })]])
    expect(junitXml(aReport(results))).toContain('failures="0" errors="1"')
  expect(junitXml(aReport([green('a')]))).toContain('failures="0" errors="0"')
})

test('long texts are cut: backticks in a summary, and the text of an annotation', () => {
  const text = '` '.repeat(200_000)
  const report = aReport([red(text, { unmet: [text] })], { errors: [text, '`'.repeat(200_000)] })
  expect(stepSummary(report).length).toBeLessThan(100_000)
  for (const command of annotations(report)) expect(command.length).toBeLessThan(4_300)
  expect(annotations(report)[0]).toContain('Run it again: ')
})

test('a summary that GitHub would drop for its length is cut', () => {
  const long = red('x', { verdicts: [aVerdict([aFinding({ what: 'w' })])], errors: [] })
  const notKnown = ['y'.repeat(20_000)]
  const text = stepSummary(
    aReport(Array.from({ length: 60 }, (_, at) => ({ ...long, name: `s${at}`, notKnown }))),
  )
  expect(Buffer.byteLength(text)).toBeLessThan(501_000)
  expect(text).toMatch(/\d+ parts more are in the report, and too long for this page\.\n$/)
})

test('on GitHub nothing that a run prints is a command, until its own annotations', () => {
  const file = join(folder, 'summary.md')
  vi.stubEnv('GITHUB_ACTIONS', 'true')
  vi.stubEnv('GITHUB_STEP_SUMMARY', file)
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
  onTestFinished(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })
  guardCommands()
  console.log('    ::error::from a pane')
  showOnGithub(aReport([red('a crash')]))
  const lines = printed.mock.calls.flat() as string[]
  const [, token] = /^::stop-commands::([\da-f-]{36})$/.exec(lines[0] ?? '') ?? []
  expect(lines.slice(2, 3)).toEqual([`::${token}::`])
  expect(lines[3]).toMatch(/^::error title=a crash \(mine\)%3A 1 leaked::/)
  expect(readFileSync(file, 'utf8')).toMatch(/^## leakrig: 0 pass, 1 leak\n/)
})

test.for(['', '/proc/none/summary.md'])(
  'without a summary that can be written (%j) a job has its annotations',
  file => {
    vi.stubEnv('GITHUB_ACTIONS', 'true')
    vi.stubEnv('GITHUB_STEP_SUMMARY', file)
    const [printed, said] = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')].map(one =>
      one.mockImplementation(() => {}),
    )
    onTestFinished(() => {
      vi.unstubAllEnvs()
      vi.restoreAllMocks()
    })
    showOnGithub(aReport([red('a crash')]))
    expect(printed?.mock.calls.flat()).toEqual([expect.stringMatching(/^::error .*title=a crash/)])
    expect(said?.mock.calls.flat()).toEqual(
      file ? [expect.stringMatching(/^leakrig: The summary of the step could not be written to \/proc/)] : [],
    )
  },
)

describe('an annotation is shown in a file of the repository', () => {
  let workspace = ''
  beforeEach(() => {
    workspace = mkdtempSync(join(folder, 'workspace-'))
    vi.stubEnv('GITHUB_WORKSPACE', workspace)
    vi.stubEnv('INIT_CWD', workspace)
    writeFileSync(join(workspace, 'leakrig.config.ts'), '')
  })
  afterEach(() => vi.unstubAllEnvs())

  test('the configuration for a scenario of ours and somebody’s system', () => {
    writeFileSync(join(workspace, 'other.json'), '')
    expect(annotatedFile(aRun(), red('x'))).toEqual({ file: 'leakrig.config.ts' })
    expect(annotatedFile(aRun({ config: 'other.json' }), red('x'))).toEqual({ file: 'other.json' })
    expect(annotatedFile(aRun({ config: '/none.json' }), red('x'))).toBeUndefined()
    expect(annotatedFile(aRun({ command: 'soak' }), red('soak', { file: 'soak' }))).toEqual({
      file: 'leakrig.config.ts',
    })
  })

  test('the test with its line, where leakrig itself is checked out', () => {
    vi.stubEnv('GITHUB_WORKSPACE', projectRoot)
    const result = red('manual kill in the middle of the work', { system: 'none' })
    const { file } = result
    expect(annotatedFile(aRun(), result)).toEqual({ file, line: expect.any(Number) })
    const { line = 0 } = annotatedFile(aRun(), result) ?? {}
    expect(readFileSync(join(projectRoot, file), 'utf8').split('\n')[line - 1]).toContain(result.name)
    expect(annotatedFile(aRun(), red('agent', { system: 'none' }))).toEqual({ file })
  })

  test('somebody’s own scenario, though a configuration is there', () => {
    vi.stubEnv('GITHUB_WORKSPACE', projectRoot)
    const own = red('a name that no line has', { file: 'harness/test/docs.test.ts' })
    expect(annotatedFile(aRun(), own)).toEqual({ file: own.file })
  })

  test('none for a file that is elsewhere', () => {
    expect(annotatedFile(aRun(), red('x', { system: 'none' }))).toBeUndefined()
    expect(annotatedFile(aRun(), red('x', { file: 'leakrig/gone.test.ts' }))).toBeUndefined()
    vi.stubEnv('GITHUB_WORKSPACE', '')
    expect(annotatedFile(aRun(), red('x'))).toBeUndefined()
  })

  test('none for what is no regular file', () => {
    mkdirSync(join(workspace, 'folder'))
    execaSync('mkfifo', [join(workspace, 'fifo')])
    for (const name of ['folder', 'fifo']) {
      const file = relative(projectRoot, join(workspace, name))
      expect(annotatedFile(aRun(), red('x', { system: 'none', file }))).toBeUndefined()
    }
  })

  test('as GitHub’s own toolkit writes it', () => {
    const [command] = annotations(aReport([red('x')]), () => ({ file: 'a, 100%: b.ts', line: 3 }))
    expect(command).toMatch(/^::error file=a%2C 100%25%3A b\.ts,line=3,title=x \(mine\)%3A 1 leaked::/)
  })
})

test('elsewhere nothing of it is printed', () => {
  vi.stubEnv('GITHUB_ACTIONS', '')
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
  onTestFinished(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })
  guardCommands()
  showOnGithub(aReport([red('a crash')]))
  expect(printed).not.toHaveBeenCalled()
})
