import { expect, test } from 'vitest'
import {
  afterCleanup,
  answers,
  deployedText,
  endedByItselfText,
  endingText,
  evidenceTable,
  goneText,
  headText,
  hintsText,
  keyLines,
  leftText,
  lostLogsText,
  momentLines,
  noTerminalText,
  pictureText,
  placeText,
  silentText,
  unknownKeyText,
} from '../../report/reproduction-text.ts'
import type { Picture } from '../../reproduction/api.ts'
import { type Counts, count } from '../../timeline/counts.ts'
import { TimelineRecorder } from '../../timeline/recorder.ts'
import type { Finding } from '../../verdict/verdict.ts'

const owner = { agent: 'worker-1', evidence: 'TMUX_PANE in its initial environment' }
const counted = (counts: Partial<Counts>): Counts => ({ ...count([]), ...counts })

const leaks: Finding[] = [
  {
    ...{ verdict: 'leak', kind: 'process', id: 'p', pid: 58, ppid: 1, owner, outlivedMs: 6_200 },
    ...{ what: 'perl (58), 5.9 MB: perl child.pl', mechanism: 'stopped' },
    ...{ why: 'stopped: a TERM takes effect only after a CONT', command: 'ps -p 58' },
  },
  {
    ...{ verdict: 'leak', kind: 'file', id: 'f', owner, outlivedMs: 6_200 },
    ...{ what: 'prompt agent_prompt_worker-1.txt, 250 bytes', mechanism: 'not-removed' },
    ...{ why: 'nobody removed it, and nobody reads it any more', command: 'ls -l /tmp/work/p.txt' },
  },
]

const picture: Picture = {
  counts: {
    baseline: counted({ processes: 1, descriptors: 20, memory: 73e6, files: { registry: 2 } }),
    peak: counted({
      sessions: 1,
      claudes: 1,
      processes: 10,
      memory: 174e6,
      files: { registry: 2, prompt: 1 },
    }),
    settled: counted({ processes: 2, descriptors: 24, memory: 86e6, files: { registry: 2, prompt: 1 } }),
  },
  leaks,
  collateral: [],
  notes: [],
  kept: 0,
  failure: undefined,
  agents: ['worker-1'],
  sessions: [],
}

test('what there is: counts, what is left, and why', () => {
  expect(pictureText(picture, 'stopped')).toMatchInlineSnapshot(`
    "                            baseline     peak      now
    tmux sessions                      0        1        0
    claude processes                   0        1        0
    all processes                      1       10        2
    open descriptors                  20        0       24
    memory                         73 MB   174 MB    86 MB
    files                              2        3        3
      prompt                           0        1        1
      registry                         2        2        2

    leaked: 2 findings of agent worker-1, seen for 6.2 s:
        1 process      stopped: a TERM takes effect only after a CONT
        1 file         nobody removed it, and nobody reads it any more
    perl (58), 5.9 MB: perl child.pl [a]
    [a] its owner by: TMUX_PANE in its initial environment
    prompt agent_prompt_worker-1.txt, 250 bytes
    $ ps -o pid,ppid,pgid,sid,tty,stat,etime,args -p 58
    $ ls -l /tmp/work/p.txt"
  `)
})

test('files that a policy keeps are counted as such', () => {
  const held = { ...building, phase: 'held', left: 0, kept: 1 } as const
  expect(momentLines(held, 'stopped', 99)).toContain('files                      2       3 (1 kept)')
  expect(pictureText({ ...picture, kept: 1 }, 'stopped').split('\n')).toContain(
    'files                              2        3        3 (1 kept)',
  )
})

test('the same with every finding', () => {
  expect(pictureText(picture, 'stopped', true)).toContain('2 leaks of agent worker-1, seen for 6.2 s\n')
})

test('nothing is left, and what is not counted', () => {
  const clean = { ...picture, leaks: [], notes: ['lock x.lock, 0 bytes: a cleanup keeps its locks'] }
  expect(pictureText(clean, 'stopped').split('\n').slice(-2)).toEqual([
    'No leak: the sandbox is back at its baseline.',
    'seen, not counted: lock x.lock, 0 bytes: a cleanup keeps its locks',
  ])
})

test('why there is no verdict comes first', () => {
  const failure = 'Agent worker-1 did not get ready within 30.0 s.'
  expect(pictureText({ ...picture, failure }, 'stopped')).toMatch(
    /^Agent worker-1 did not get ready within 30.0 s.\n\n/,
  )
})

test('what to try', () => {
  const hints = { command: 'npx leakrig shell', hasWorkspace: true, picture }
  const session = { name: 'agent_worker-1', command: ['tmux', 'attach'] }
  expect(hintsText({ ...hints, picture: { ...picture, sessions: [session] } })).toMatchInlineSnapshot(`
    "a shell in the sandbox, from another terminal: npx leakrig shell
    and in that shell:
      ps -fp 58                           and every other command with $ in front
      tmux attach                         its pane; C-b d leaves it
      leakrig explain 58                  whose it is, and the evidence
      leakrig explain worker-1            what belongs to it, and what a cleanup would do
      leakrig sweep --apply --min-age 0s  the cleanup; without --apply it only says what it would do"
  `)
  // Somebody's own orchestrator.
  expect(hintsText({ ...hints, hasWorkspace: false })).toMatchInlineSnapshot(`
    "a shell in the sandbox, from another terminal: npx leakrig shell
    and in that shell:
      ps -fp 58  and every other command with $ in front"
  `)
})

test('the evidence of the report beside ours, at several moments', () => {
  const here = counted({ sessions: 4, claudes: 54, files: { prompt: 78, 'stream log': 38, archive: 3 } })
  expect(
    evidenceTable([
      ['here', here],
      ['cleaned up', counted({ files: { archive: 9 } })],
    ]).join('\n'),
  ).toMatchInlineSnapshot(`
    "                          the report          here    cleaned up
    active tmux sessions               4             4             0
    claude processes                  54            54             0
    agent prompt files                78            78             0
    JSONL stream logs                 38            38             0"
  `)
})

const building = {
  phase: 'building',
  agent: 'worker-1',
  step: 'is killed',
  stepMs: 7_300,
  baseline: picture.counts.baseline,
  now: picture.counts.settled,
  agents: 1,
  left: undefined,
  kept: 0,
  canAttach: false,
} as const

test('the counts as they rise', () => {
  expect(momentLines(building, 'stopped', 99).join('\n')).toMatchInlineSnapshot(`
    "                    baseline     now
    tmux sessions              0       0
    claude processes           0       0
    all processes              1       2
    files                      2       3
    1 deployed; worker-1 is killed"
  `)
  expect(momentLines({ ...building, phase: 'held', left: 2 }, 'stopped', 99).at(-1)).toBe('2 left')
  const { now: _, agent: __, ...starting } = building
  expect(momentLines({ ...starting, step: 'prepare' }, 'stopped', 99)).toEqual(['prepare'])
  expect(momentLines(building, 'report', 99).join('\n')).toMatchInlineSnapshot(`
    "                          the report           now
    active tmux sessions               4             0
    claude processes                  54             0
    agent prompt files                78             1
    JSONL stream logs                 38             0
    1 deployed; worker-1 is killed"
  `)
})

test('a baseline of nothing is shown as such', () => {
  const recorder = new TimelineRecorder()
  recorder.add({ at: 0, resources: [], problems: [], ignored: [] })
  recorder.markBaseline([])
  const lines = momentLines({ ...building, ...recorder.progress }, 'stopped', 99)
  expect(lines[1]).toBe('tmux sessions              0       0')
})

test('a settling says what it waits for, and how long; also in a narrow terminal', () => {
  const { agent: _, ...settling } = { ...building, step: 'settle' }
  expect(momentLines(settling, 'stopped', 99).slice(-3).join('\n')).toMatchInlineSnapshot(`
    "1 deployed; settle for 7 s
    Waits until the baseline is back or nothing has changed for 5 s, 30 s at most; a busy machine gets
    more time, up to 300 s."
  `)
  expect(momentLines(settling, 'stopped', 39).slice(-6).join('\n')).toMatchInlineSnapshot(`
    "files                      2       3
    1 deployed; settle for 7 s
    Waits until the baseline is back or
    nothing has changed for 5 s, 30 s at
    most; a busy machine gets more time, up
    to 300 s."
  `)
})

test('the keys', () => {
  const lines = (columns: number, one = { hasWorkspace: true, canAttach: true }) =>
    keyLines(one, columns).join('\n')
  expect(lines(99)).toMatchInlineSnapshot(
    `"s shell  t tmux  e explain  c clean up  p what is left  v all of it  q leave"`,
  )
  expect(lines(39)).toMatchInlineSnapshot(`
    "s shell  t tmux  e explain  c clean up
    p what is left  v all of it  q leave"
  `)
  expect(lines(99, { hasWorkspace: false, canAttach: false })).toMatchInlineSnapshot(
    `"s shell  p what is left  v all of it  q leave"`,
  )
  expect(['x', '\u001b[A', '"'].map(unknownKeyText).join('\n')).toMatchInlineSnapshot(`
    ""x" is not one of the keys:
    "\\u001b[A" is not one of the keys:
    "\\"" is not one of the keys:"
  `)
})

test('what a cleanup has left', () => {
  expect(afterCleanup({ leaks: [], collateral: [] })).toMatchInlineSnapshot(`"Nothing is left of it."`)
  expect(afterCleanup({ leaks: leaks.slice(1), collateral: [] })).toMatchInlineSnapshot(`
    "leaked: 1 finding of agent worker-1, seen for 6.2 s:
        1 file         nobody removed it, and nobody reads it any more
    prompt agent_prompt_worker-1.txt, 250 bytes
    $ ls -l /tmp/work/p.txt"
  `)
})

test('why a cleanup of the evidence of the report is not finished', () => {
  expect(lostLogsText('633 actions done, and 40 of 78 cleanups not finished')).toMatchInlineSnapshot(`
    [
      "Those are of the agents whose logs were removed by hand: the lines are lost, and no cleanup can save them.",
    ]
  `)
  expect(lostLogsText('nothing to do')).toEqual([])
})

test('the beginning, and the answers to keys', () => {
  const head = headText('stopped', 'a stopped child', 'none', { kind: 'namespace', why: 'requested' })
  expect([head, deployedText(10), ...Object.values(answers)].join('\n')).toMatchInlineSnapshot(`
    "leakrig: stopped: a stopped child
    system none, sandbox namespace (requested)

    10 agents deployed
    A shell in the sandbox; \`exit\` leads back.
    No session of an agent is left.
    Nothing of an agent is left."
  `)
})

test('the end', () => {
  const texts = [
    endedByItselfText,
    endingText,
    goneText(12),
    goneText(undefined),
    leftText(['process 5 (perl)']),
    noTerminalText,
    silentText([58, 59]),
  ]
  expect(texts.join('\n')).toMatchInlineSnapshot(`
    "The sandbox has ended before you left it: was a process of it, or its container, killed from outside?
    Ending the sandbox and everything in it …
    Nothing is left on this machine: the sandbox is gone, and so are the 12 processes seen in it.
    Nothing is left on this machine: the container is gone.
    Something is left of the sandbox: process 5 (perl); end it by hand.
    There is no terminal, so it ends here; --then COMMAND runs a command in the sandbox before that.
    A reproduction does not answer (pid 58, 59): it is stopped, or hangs; \`fg\` in its terminal continues one that was stopped with Ctrl-Z."
  `)
})

test('which reproduction it is', () => {
  const rest = { worker: 59, system: 'none', sandbox: 'namespace' }
  const about = { name: 'stopped', pid: 58, folder: '/home/me/a\nb', ...rest }
  expect(placeText(about)).toMatchInlineSnapshot(
    `"in the sandbox of stopped (pid 58, started in /home/me/a\\u{a}b), system none"`,
  )
})
