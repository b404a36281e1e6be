import { stripVTControlCharacters } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { catalogueTable } from '../../report/catalogue.ts'
import { judge } from '../../report/known.ts'
import type { Report } from '../../report/report.ts'
import { ScenarioReporter } from '../../report/reporter.ts'
import type { ScenarioResult } from '../../report/scenario-result.ts'
import { marks, notKeptText, scenarioText } from '../../report/scenario-text.ts'
import { summaryText } from '../../report/summary.ts'
import { aFinding, aReport, aRun, aVerdict, green, red } from '../support/reports.ts'

/** What a person sees of results in a terminal, as it is. Findings in a job of CI: ci-formats.test.ts. */

const owner = { agent: 'agent-1', evidence: 'TMUX_PANE in its initial environment' }
const process = (pid: number, ppid: number, comm: string) =>
  aFinding({
    ...{ kind: 'process', id: `process ${pid}@1`, pid, ppid, owner, mechanism: 'session-not-ended' },
    what: `${comm} (${pid}), 2.0 MB: ${comm} --option`,
    why: 'below a pane whose session was never ended',
    command: `ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p ${pid}`,
  })
const pane = aFinding({
  ...{ kind: 'pane', id: 'pane %1', pid: 20, owner, mechanism: 'session-not-ended' },
  ...{ what: 'pane %1 of agent_agent-1', why: 'its session was never ended' },
  command: "tmux -S '/tmp/tmux/default' list-panes -a",
})
const descriptor = aFinding({
  ...{ kind: 'descriptor', id: 'fd 21:1', pid: 21, owner, mechanism: 'holder-not-ended' },
  ...{ what: 'agent-1_stream.jsonl, open for writing by 21', why: 'its holder was never ended' },
  command: 'ls -l /proc/21/fd/1',
})
const { owner: _, ...nobodys } = aFinding({
  ...{ kind: 'socket', id: 'socket /tmp/s', mechanism: 'held-by-others' },
  ...{ what: 'socket /tmp/s', why: 'held by something else that is left', command: 'ss -xlp src /tmp/s' },
})
const harmed = aFinding({
  ...{ verdict: 'collateral', kind: 'process', id: 'process 70@1', pid: 70, ppid: 1 },
  ...{ what: 'vim (70), 9.0 MB: vim notes.txt', mechanism: 'gone', why: 'it was there before, and is gone' },
  command: 'ps -p 70',
})
delete harmed.owner

const leaks = [
  process(20, 1, 'bash'),
  process(21, 20, 'claude'),
  process(22, 20, 'tee'),
  pane,
  descriptor,
  nobodys,
]

const leaking = red('a kill', {
  verdicts: [{ ...aVerdict(leaks), notes: ['a tmux client of the user'] }],
  unmet: ['The system answered kill with a failure: no such team'],
  kept: '/project/.leakrig/a-kill',
})
const harming = red('a kill beside an editor', {
  verdict: 'collateral',
  verdicts: [{ ...aVerdict(leaks.slice(1, 2)), result: 'collateral', collateral: [harmed] }],
})
const known = (count: number, expires: string) => ({
  ...{
    system: 'mine',
    scenario: 'a crash',
    mechanism: 'not-removed' as const,
    count,
    reason: 'issue 12',
    expires,
  },
})
const crash = red('a crash', { verdicts: [aVerdict([aFinding(), aFinding({ id: 'file:/tmp/other' })])] })
const unsure = green('ten agents', {
  verdict: 'inconclusive',
  verdicts: [],
  errors: ['tmux did not answer within 5 s'],
})
const skipped = green('a completion from inside', {
  verdict: 'skipped',
  verdicts: [],
  errors: ['no completes.inside'],
})
const moved = green('a completion', { engine: 'tcp://b', lostEngines: ['tcp://a'] })

const shown = (result: ScenarioResult, verbose = false): string =>
  stripVTControlCharacters(`${marks[result.verdict]} ${scenarioText(result, verbose)}`)

describe('a scenario', () => {
  test('that leaked: counts, what and why, the tree, the commands, the copy', () => {
    expect(shown(leaking)).toMatchInlineSnapshot(`
      "✗ 6 leaked        a kill
          sessions 0→1→0 · claude 0→1→0 · processes 1→9→1 · files 0→7→6
          The system answered kill with a failure: no such team
          leaked: 5 findings of agent agent-1 and 1 without a known owner, seen for 5.0 s:
              3 processes    below a pane whose session was never ended
              1 pane         its session was never ended
              1 open file    its holder was never ended
              1 socket       held by something else that is left
          bash (20), 2.0 MB: bash --option [a]
          │  pane %1 of agent_agent-1
          ├─ claude (21), 2.0 MB: claude --option [a]
          │     holds agent-1_stream.jsonl open
          └─ tee (22), 2.0 MB: tee --option [a]
          [a] its owner by: TMUX_PANE in its initial environment
          $ ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p 20,21,22
          $ tmux -S '/tmp/tmux/default' list-panes -a
          $ ls -l /proc/21/fd/1
          … and 1 more (--verbose)
          its files: /project/.leakrig/a-kill
          seen, not counted: a tmux client of the user"
    `)
  })

  test('that leaked, with --verbose: all counts, and each finding by itself', () => {
    expect(shown(leaking, true)).toMatchInlineSnapshot(`
      "✗ 6 leaked        a kill
                                      baseline     peak  settled
          tmux servers                       0        0        0
          tmux sessions                      0        1        0
          panes                              0        0        0
          claude processes                   0        1        0
          all processes                      1        9        1
          zombies                            0        0        0
          open descriptors                   0        0        0
            of files in the sandbox          0        0        0
          listening sockets                  0        0        0
          pseudo-terminals                   0        0        0
          memory                          0 MB     0 MB     0 MB
          files                              0        7        6
            prompt                           0        7        6
          The system answered kill with a failure: no such team
          5 leaks of agent agent-1, seen for 5.0 s
            process    bash (20), 2.0 MB: bash --option
                       below a pane whose session was never ended (owner: TMUX_PANE in its initial environment)
                       $ ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p 20
            process    claude (21), 2.0 MB: claude --option
                       below a pane whose session was never ended (owner: TMUX_PANE in its initial environment)
                       $ ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p 21
            process    tee (22), 2.0 MB: tee --option
                       below a pane whose session was never ended (owner: TMUX_PANE in its initial environment)
                       $ ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p 22
            pane       pane %1 of agent_agent-1
                       its session was never ended (owner: TMUX_PANE in its initial environment)
                       $ tmux -S '/tmp/tmux/default' list-panes -a
            descriptor agent-1_stream.jsonl, open for writing by 21
                       its holder was never ended (owner: TMUX_PANE in its initial environment)
                       $ ls -l /proc/21/fd/1
          1 leak without a known owner, seen for 5.0 s
            socket     socket /tmp/s
                       held by something else that is left
                       $ ss -xlp src /tmp/s
          its files: /project/.leakrig/a-kill
          seen, not counted: a tmux client of the user"
    `)
  })

  test('that harmed a bystander', () => {
    expect(shown(harming)).toMatchInlineSnapshot(`
      "✗ 1 leaked, 1 collateral  a kill beside an editor
          sessions 0→1→0 · claude 0→1→0 · processes 1→9→1 · files 0→2→1
          leaked: 1 finding of agent agent-1, seen for 5.0 s:
              1 process      below a pane whose session was never ended
          claude (21), 2.0 MB: claude --option [a]
          [a] its owner by: TMUX_PANE in its initial environment
          $ ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p 21
          harmed: 1 finding without a known owner, seen for 5.0 s:
              1 process      it was there before, and is gone
          vim (70), 9.0 MB: vim notes.txt
          $ ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p 70"
    `)
  })

  test('with more than is shown', () => {
    const many = Array.from({ length: 40 }, (_, at) => process(100 + at, 1, 'sleep'))
    const files = Array.from({ length: 12 }, (_, at) =>
      aFinding({ id: `f${at}`, what: `prompt p${at}.txt, 1 byte` }),
    )
    expect(shown(red('a crowd', { verdicts: [aVerdict([...many, ...files])] }))).toMatchInlineSnapshot(`
      "✗ 52 leaked       a crowd
          sessions 0→1→0 · claude 0→1→0 · processes 1→9→1 · files 0→53→52
          leaked: 52 findings of agent agent-1, seen for 5.0 s:
             40 processes    below a pane whose session was never ended
             12 files        nobody removed it, and nobody reads it any more
          sleep (100), 2.0 MB: sleep --option [a]
          sleep (101), 2.0 MB: sleep --option [a]
          sleep (102), 2.0 MB: sleep --option [a]
          sleep (103), 2.0 MB: sleep --option [a]
          sleep (104), 2.0 MB: sleep --option [a]
          sleep (105), 2.0 MB: sleep --option [a]
          sleep (106), 2.0 MB: sleep --option [a]
          sleep (107), 2.0 MB: sleep --option [a]
          sleep (108), 2.0 MB: sleep --option [a]
          sleep (109), 2.0 MB: sleep --option [a]
          sleep (110), 2.0 MB: sleep --option [a]
          sleep (111), 2.0 MB: sleep --option [a]
          sleep (112), 2.0 MB: sleep --option [a]
          sleep (113), 2.0 MB: sleep --option [a]
          sleep (114), 2.0 MB: sleep --option [a]
          sleep (115), 2.0 MB: sleep --option [a]
          sleep (116), 2.0 MB: sleep --option [a]
          sleep (117), 2.0 MB: sleep --option [a]
          sleep (118), 2.0 MB: sleep --option [a]
          sleep (119), 2.0 MB: sleep --option [a]
          sleep (120), 2.0 MB: sleep --option [a]
          sleep (121), 2.0 MB: sleep --option [a]
          sleep (122), 2.0 MB: sleep --option [a]
          sleep (123), 2.0 MB: sleep --option [a]
          … and 16 more (--verbose)
          [a] its owner by: TMUX_PANE in its initial environment
          prompt p0.txt, 1 byte
          prompt p1.txt, 1 byte
          prompt p2.txt, 1 byte
          prompt p3.txt, 1 byte
          prompt p4.txt, 1 byte
          prompt p5.txt, 1 byte
          prompt p6.txt, 1 byte
          prompt p7.txt, 1 byte
          … and 4 more (--verbose)
          $ ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p 100,101,102,103,104,105,106,107,108,109,110,111,112,113,114,115,116,117,118,119,120,121,122,123,124,125,126,127,128,129,130,131,132,133,134,135,136,137,138,139
          $ ls -l /tmp/prompt"
    `)
  })

  test('that passed, was not measured, was skipped, or lost its engine', () => {
    expect(
      [green('a completion'), unsure, skipped, moved].map(one => shown(one)).join('\n'),
    ).toMatchInlineSnapshot(`
      "✓ back in 400 ms  a completion
          sessions 0→1→0 · claude 0→1→0 · processes 1→9→1 · files 0→1→0
      ? inconclusive    ten agents
          tmux did not answer within 5 s
      - skipped         a completion from inside
          no completes.inside
      ✓ back in 400 ms  a completion
          sessions 0→1→0 · claude 0→1→0 · processes 1→9→1 · files 0→1→0
          the engine at tcp://a stopped; measured again on tcp://b"
    `)
  })

  test('whose leaks are known, are more than known, are known no longer, or are new', () => {
    const today = '2026-12-01'
    const judged = [[known(3, '2027-01-31')], [known(1, '2027-01-31')], [known(2, '2026-11-30')]].map(list =>
      judge(crash, list, today),
    )
    const isNew = judge(leaking, [{ ...known(9, '2027-01-31'), scenario: 'a kill' }], today)
    const brief = (text: string) =>
      text
        .split('\n')
        .filter(line => !/^ {4}(leaked|\$|prompt| {2})/.test(line))
        .join('\n')
    expect([...judged, isNew].map(one => brief(shown(one))).join('\n')).toMatchInlineSnapshot(`
      "~ known           a crash
          sessions 0→1→0 · claude 0→1→0 · processes 1→9→1 · files 0→3→2
          known until 2027-01-31: 2 not-removed of at most 3 (issue 12)
      ✗ 2 leaked        a crash
          sessions 0→1→0 · claude 0→1→0 · processes 1→9→1 · files 0→3→2
          more: 2 not-removed, of which 1 is known
      ✗ 2 leaked        a crash
          sessions 0→1→0 · claude 0→1→0 · processes 1→9→1 · files 0→3→2
          expired: not-removed was known until 2026-11-30 (issue 12)
      ✗ 6 leaked        a kill
          sessions 0→1→0 · claude 0→1→0 · processes 1→9→1 · files 0→7→6
          new: 4 session-not-ended, of which none is known
          new: 1 holder-not-ended, of which none is known
          new: 1 held-by-others, of which none is known
          new: 1 expectation, of which none is known
          The system answered kill with a failure: no such team
          bash (20), 2.0 MB: bash --option [a]
          │  pane %1 of agent_agent-1
          ├─ claude (21), 2.0 MB: claude --option [a]
          │     holds agent-1_stream.jsonl open
          └─ tee (22), 2.0 MB: tee --option [a]
          [a] its owner by: TMUX_PANE in its initial environment
          … and 1 more (--verbose)
          its files: /project/.leakrig/a-kill
          seen, not counted: a tmux client of the user"
    `)
  })

  test('whose files could not be copied', () => {
    expect(notKeptText({ ...leaking, notKept: 'ENOSPC: no space left on device' })).toMatchInlineSnapshot(
      `"The files of "a kill" could not be copied out of its sandbox (ENOSPC: no space left on device): its verdict stands."`,
    )
  })
})

const ran = (results: ScenarioResult[], more: Partial<Report> = {}): string =>
  summaryText({ ...aReport(results), durationMs: 61_200, ...more })

describe('the last lines of a run', () => {
  const kept = [{ what: 'files', why: 'Claude keeps its settings', count: 2 }]
  const ignored = [{ what: 'processes', why: 'the probe and its tools', count: 2 }]

  test('that passed', () => {
    const one = green('a completion', {
      verdicts: [{ ...aVerdict(), kept, ignored }],
      leftOut: ['the list (list)'],
    })
    expect(ran([one, green('a kill')])).toMatchInlineSnapshot(`
      "
      left out of every snapshot: the probe and its tools
      kept by policy: Claude keeps its settings
      not checked, because the system does not declare it: the list (list)
      2 pass; system mine, sandbox namespace, 61.2 s"
    `)
  })

  test('with every verdict, a known leak that is gone, and an interruption', () => {
    const results = [
      green('a completion'),
      judge(crash, [known(3, '2027-01-31')], '2026-12-01'),
      leaking,
      harming,
    ]
    const fixed = ['not-removed of "a kill", system mine']
    expect(ran([...results, unsure, skipped], { fixed, interrupted: 'SIGTERM' })).toMatchInlineSnapshot(`
      "
      The commands ($ ...) work inside a sandbox that runs, and each sandbox has ended; "its files" names a copy of what was in it.
      known leaks that are there no more; take them out with --update-known:
        not-removed of "a kill", system mine
      interrupted by SIGTERM; until then:
      1 pass, 1 known, 1 leak, 1 collateral, 1 inconclusive, 1 skipped; system mine, sandbox namespace, 61.2 s"
    `)
  })

  test('that was interrupted before its first result', () => {
    expect(ran([], { interrupted: 'SIGINT' })).toMatchInlineSnapshot(`
      "
      interrupted by SIGINT; until then:
      0 pass; system mine, sandbox namespace, 61.2 s"
    `)
  })
})

test('the table of a catalogue, of two systems', () => {
  const cell = (name: string, system: string, verdict: ScenarioResult['verdict']) =>
    green(name, { system, verdict })
  const cells = [
    cell('plain × killed', 'none', 'leak'),
    cell('plain × crashed', 'none', 'known'),
    cell('plain × killed', 'hybrid', 'pass'),
    cell('plain × crashed', 'hybrid', 'inconclusive'),
    cell('own-session × killed', 'none', 'skipped'),
    cell('own-session × killed', 'hybrid', 'pass'),
  ]
  expect(catalogueTable(aReport(cells, { run: aRun({ command: 'catalogue' }) }))).toMatchInlineSnapshot(`
    "| shape       | none                        | hybrid                  |
    | ----------- | --------------------------- | ----------------------- |
    | plain       | 0/2, 1 known                | 1/2, 1 inconclusive     |
    | own-session | 0/0, 1 skipped              | 1/1                     |
    | **all**     | **0/2, 1 known, 1 skipped** | **2/3, 1 inconclusive** |"
  `)
})

test('what a run prints where nobody watches a terminal, line by line', () => {
  const write = vi.spyOn(globalThis.process.stdout, 'write').mockReturnValue(true)
  onTestFinished(() => void vi.restoreAllMocks())
  const reporter = new ScenarioReporter()
  reporter.onTestRunEnd([], [{ message: 'a test file could not be read' } as never])
  expect(stripVTControlCharacters(write.mock.calls.map(([text]) => text).join(''))).toMatchInlineSnapshot(`
    "? a test file could not be read
    "
  `)
})
