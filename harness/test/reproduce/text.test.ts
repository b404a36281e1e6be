import { expect, test } from 'vitest'
import { evidenceTable, hintsText, momentLines, pictureText } from '../../report/reproduction-text.ts'
import type { Picture } from '../../reproduction/api.ts'
import { type Counts, count } from '../../timeline/counts.ts'
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
  const hints = { command: 'npx leakrig', hasWorkspace: true, picture }
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

test('the counts as they rise', () => {
  const { baseline, settled: now } = picture.counts
  const building = {
    phase: 'building',
    agent: 'worker-1',
    step: 'is killed',
    baseline,
    now,
    agents: 1,
    left: undefined,
  } as const
  expect(momentLines(building, 'stopped').join('\n')).toMatchInlineSnapshot(`
    "                    baseline     now
    tmux sessions              0       0
    claude processes           0       0
    all processes              1       2
    files                      2       3
    1 deployed; worker-1 is killed"
  `)
  expect(momentLines({ ...building, phase: 'held', left: 2 }, 'stopped').at(-1)).toBe('2 left')
  const { now: _, agent: __, ...starting } = building
  expect(momentLines({ ...starting, step: 'prepare' }, 'stopped')).toEqual(['prepare'])
  expect(momentLines(building, 'report')[0]).toBe('                          the report           now')
})
