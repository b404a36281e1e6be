import { expect, test } from 'vitest'
import { junitXml } from '../../report/junit.ts'
import { outcome } from '../../report/outcome.ts'
import { soakSvg } from '../../report/soak-svg.ts'
import { planText, roundText, soakSentences, soakText } from '../../report/soak-text.ts'
import { roundsText } from '../../report/soak-words.ts'
import { judgeSoak } from '../../soak/judge.ts'
import type { SoakResult } from '../../soak/result.ts'
import { aReport, green } from '../support/reports.ts'
import { rounds } from './rounds.ts'

const leaking = judgeSoak(
  { seed: 1, agents: 5 },
  rounds(20, agents => ({
    prompts: agents / 5,
    archived: 3 * agents,
    systemMemory: 1e8 + 1e4 * (agents % 4),
  })),
)

test('before it begins, a soak says whether it can pass', () => {
  expect(planText({ seed: 5, agents: 8, rounds: 20 })).toMatchInlineSnapshot(
    `"at most 20 rounds with 8 agents each; --seed 5 draws the same agents again"`,
  )
  expect(planText({ seed: 5, agents: 3, rounds: 14 })).toMatchInlineSnapshot(`
    "at most 14 rounds with 3 agents each; --seed 5 draws the same agents again
    too few to pass: it takes 13 rounds to show a leak, and 29 to pass (--repeat 29)"
  `)
  expect(planText({ seed: 5, agents: 3, rounds: 14 }, 60)).toMatchInlineSnapshot(`
    "at most 14 rounds with 3 agents each; --seed 5 draws the
    same agents again
    too few to pass: it takes 13 rounds to show a leak, and 29
    to pass (--repeat 29)"
  `)
  expect(planText({ seed: 5, agents: 1, rounds: 1 })).toMatchInlineSnapshot(`
    "at most 1 round with 1 agent each; --seed 5 draws the same agents again
    too few to pass: it takes 13 rounds to show a leak, and 79 to pass (--repeat 79)"
  `)
  expect(planText({ seed: 5, agents: 20, rounds: 4 })).toMatchInlineSnapshot(`
    "at most 4 rounds with 20 agents each; --seed 5 draws the same agents again
    too few to pass: it takes 13 rounds to show a leak or to pass (--repeat 13)"
  `)
  expect(planText({ seed: 5, agents: 8, forMs: 600_000 })).toMatchInlineSnapshot(`
    "at most 600 s with 8 agents each; --seed 5 draws the same agents again
    it takes 13 rounds to show a leak, and 14 to pass"
  `)
  expect(planText({ seed: 5, agents: 8, rounds: 40, forMs: 600_000 })).toMatchInlineSnapshot(`
    "at most 40 rounds and 600 s with 8 agents each; --seed 5 draws the same agents
    again
    it takes 13 rounds to show a leak, and 14 to pass"
  `)
})

test('a narrow terminal has a narrow table', () => {
  expect(soakText(leaking, 60)).toMatchInlineSnapshot(`
    "20 rounds of 5 agents (100); the first 4 warm up, and are
    left out of the slopes

                                 last    each agent
    tmux servers                    0   0.00 ± 0.05 flat
    tmux sessions                   1   0.00 ± 0.05 flat
    panes                           0   0.00 ± 0.05 flat
    claude processes                0   0.00 ± 0.05 flat
    all processes                   4   0.00 ± 0.05 flat
    zombies                         0   0.00 ± 0.05 flat
    open descriptors               49   0.00 ± 0.05 flat
    open files of the sandbox       0   0.00 ± 0.05 flat
    listening sockets               0   0.00 ± 0.05 flat
    pseudo-terminals                0   0.00 ± 0.05 flat
    files: prompt                  20   0.20 ± 0.12 LEAK
    files: registry                 2   0.00 ± 0.05 flat
    memory of the system, MB    100.0   0.00 ± 0.00 flat
    memory of tmux, MB            4.0   0.00 ± 0.00 flat
    kept: archive                 300   3.00 ± 0.00 by policy

    files: prompt, from round to round
          20 ┼                                    ╭──
          17 ┤                            ╭───────╯
          13 ┤                      ╭─────╯
          10 ┤                 ╭────╯
           7 ┤         ╭───────╯
           3 ┤   ╭─────╯
           0 ┼───╯

    A count that leaks for one in 21 agents or more would have
    shown (in 95 of 100 soaks).
    Tolerated for each agent: 500 kB of memory, and nothing
    else.

    left at the end, whether or not it is a slope: 20
      prompt agent_prompt_5.txt: the cleanup left it
      prompt agent_prompt_10.txt: the cleanup left it
      prompt agent_prompt_15.txt: the cleanup left it
      prompt agent_prompt_20.txt: the cleanup left it
      prompt agent_prompt_25.txt: the cleanup left it
      prompt agent_prompt_30.txt: the cleanup left it
      prompt agent_prompt_35.txt: the cleanup left it
      prompt agent_prompt_40.txt: the cleanup left it
      prompt agent_prompt_45.txt: the cleanup left it
      prompt agent_prompt_50.txt: the cleanup left it
      and 10 more"
  `)
  expect(
    rounds(2)
      .map(round => roundText(round, 60))
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "baseline      4.0 s · sessions 1 · processes 4 · files 2
        5 agents  4.0 s · sessions 1 · processes 4 · files 2
       10 agents  4.0 s · sessions 1 · processes 4 · files 2"
  `)
})

test('no line is wider than 80 columns, or than the terminal', () => {
  const wild = rounds(20, agents => ({
    systemMemory: 9e9 + (agents % 15) * 1e8,
    prompts: 99 * agents,
    collateral: [
      'process 4711 bash -c "a command of somebody else, which is as long as a command may well be": it ended',
    ],
  }))
  const texts = (columns: number) => [
    soakText(judgeSoak({ seed: 1, agents: 5 }, wild), columns),
    ...wild.map(round => roundText(round, columns)),
  ]
  for (const columns of [60, 79, 80, 200])
    for (const line of texts(columns).join('\n').split('\n'))
      expect(line.length, line).toBeLessThanOrEqual(Math.min(columns, 80))
})

test('reports without a table have what did not pass in sentences', () => {
  const wild = rounds(20, agents => ({ systemMemory: 1e8 + (agents % 15) * 1e7, prompts: agents / 5 }))
  expect(soakSentences(judgeSoak({ seed: 1, agents: 5 }, wild)).slice(0, 4)).toMatchInlineSnapshot(`
    [
      "files: prompt: grows with each agent (0.20 ± 0.12)",
      "Not known to grow, nor to be flat: memory of the system (0.00 ± 1.82 MB).",
      "left at the end, whether or not it is a slope: 20",
      "  prompt agent_prompt_5.txt: the cleanup left it",
    ]
  `)
  expect(soakSentences(judgeSoak({ seed: 1, agents: 5 }, rounds(14)))[0]).toMatchInlineSnapshot(
    `"Inconclusive with 14 rounds of 5 agents: it takes 19 to pass (--repeat 19)."`,
  )
})

test('what too few rounds leave open is one sentence, after how many it takes', () => {
  expect(soakSentences(judgeSoak({ seed: 1, agents: 5 }, rounds(1)))).toMatchInlineSnapshot(`
    [
      "Inconclusive with 1 round of 5 agents: it takes 13 rounds to show a leak, and 19 to pass (--repeat 19).",
      "Not known to grow, nor to be flat: tmux servers, tmux sessions, panes, claude processes, all processes, zombies, open descriptors, open files of the sandbox, listening sockets, pseudo-terminals, files: registry, memory of the system, memory of tmux.",
    ]
  `)
})

test('the warm-up of one round, and of none', () => {
  const first = (number: number) => roundsText(judgeSoak({ seed: 1, agents: 1 }, rounds(number)))
  expect([first(0), first(1)]).toMatchInlineSnapshot(`
    [
      "0 rounds of 1 agent (0)",
      "1 round of 1 agent (5); the first one warms up, and is left out of the slopes",
    ]
  `)
})

test('what is inconclusive with enough rounds says about how many may tell', () => {
  const wild = rounds(20, agents => ({ systemMemory: 1e8 + (agents % 15) * 1e7 }))
  expect(
    soakText(judgeSoak({ seed: 1, agents: 5 }, wild))
      .split('\n')
      .at(-1),
  ).toMatchInlineSnapshot(`"Inconclusive with 20 rounds: about 30 may tell (--repeat 30)."`)
})

test('a round is a line', () => {
  expect(
    rounds(1, () => ({ archived: 12 }))
      .map(round => roundText(round))
      .join('\n'),
  ).toMatchInlineSnapshot(`
    "baseline      4.0 s · sessions 1 · processes 4 · files 14 · 100.0 MB
        5 agents  4.0 s · sessions 1 · processes 4 · files 14 · 100.0 MB"
  `)
})

test('the slopes are a table, with a plot of what leaks', () => {
  expect(soakText(leaking)).toMatchInlineSnapshot(`
    "20 rounds of 5 agents (100); the first 4 warm up, and are left out of the slopes

                               before    warm    last     each agent
    tmux servers                    0       0       0    0.00 ± 0.05  flat
    tmux sessions                   1       1       1    0.00 ± 0.05  flat
    panes                           0       0       0    0.00 ± 0.05  flat
    claude processes                0       0       0    0.00 ± 0.05  flat
    all processes                   4       4       4    0.00 ± 0.05  flat
    zombies                         0       0       0    0.00 ± 0.05  flat
    open descriptors               49      49      49    0.00 ± 0.05  flat
    open files of the sandbox       0       0       0    0.00 ± 0.05  flat
    listening sockets               0       0       0    0.00 ± 0.05  flat
    pseudo-terminals                0       0       0    0.00 ± 0.05  flat
    files: prompt                   0       5      20    0.20 ± 0.12  LEAK
    files: registry                 2       2       2    0.00 ± 0.05  flat
    memory of the system, MB    100.0   100.0   100.0    0.00 ± 0.00  flat
    memory of tmux, MB            4.0     4.0     4.0    0.00 ± 0.00  flat
    kept: archive                   0      75     300    3.00 ± 0.00  by policy

    files: prompt, from round to round
          20 ┼                                                      ╭────
          17 ┤                                          ╭───────────╯
          13 ┤                                  ╭───────╯
          10 ┤                         ╭────────╯
           7 ┤              ╭──────────╯
           3 ┤     ╭────────╯
           0 ┼─────╯

    A count that leaks for one in 21 agents or more would have shown (in 95 of 100
    soaks).
    Tolerated for each agent: 500 kB of memory, and nothing else.

    left at the end, whether or not it is a slope: 20
      prompt agent_prompt_5.txt: the cleanup left it
      prompt agent_prompt_10.txt: the cleanup left it
      prompt agent_prompt_15.txt: the cleanup left it
      prompt agent_prompt_20.txt: the cleanup left it
      prompt agent_prompt_25.txt: the cleanup left it
      prompt agent_prompt_30.txt: the cleanup left it
      prompt agent_prompt_35.txt: the cleanup left it
      prompt agent_prompt_40.txt: the cleanup left it
      prompt agent_prompt_45.txt: the cleanup left it
      prompt agent_prompt_50.txt: the cleanup left it
      and 10 more"
  `)
})

test('too few rounds say how many more there must be', () => {
  const few = judgeSoak({ seed: 1, agents: 5 }, rounds(2))
  expect(soakText(few)).toMatchInlineSnapshot(`
    "2 rounds of 5 agents (10); the first one warms up, and is left out of the slopes

                               before    warm    last     each agent
    tmux servers                    0       0       0              -  inconclusive
    tmux sessions                   1       1       1              -  inconclusive
    panes                           0       0       0              -  inconclusive
    claude processes                0       0       0              -  inconclusive
    all processes                   4       4       4              -  inconclusive
    zombies                         0       0       0              -  inconclusive
    open descriptors               49      49      49              -  inconclusive
    open files of the sandbox       0       0       0              -  inconclusive
    listening sockets               0       0       0              -  inconclusive
    pseudo-terminals                0       0       0              -  inconclusive
    files: registry                 2       2       2              -  inconclusive
    memory of the system, MB    100.0   100.0   100.0              -  inconclusive
    memory of tmux, MB            4.0     4.0     4.0              -  inconclusive
    kept: archive                   0       0       0              -  by policy

    memory of the system, MB, from round to round
       101.0 ┤
       100.8 ┤
       100.7 ┤
       100.5 ┤
       100.3 ┤
       100.2 ┤
       100.0 ┼───────────────────────────────────────────────────────────

    Tolerated for each agent: 500 kB of memory, and nothing else.
    Inconclusive with 2 rounds of 5 agents: it takes 13 rounds to show a leak, and
    19 to pass (--repeat 19)."
  `)
})

test('something that is gone is named', () => {
  const lost = judgeSoak(
    { seed: 1, agents: 5 },
    rounds(20, () => ({ collateral: ['tmux session my-work ($0)'] })),
  )
  expect(soakText(lost)).toContain('\ncollateral:\n  tmux session my-work ($0)')
})

test('the picture has a plot for each resource that changed, and no markup from outside', () => {
  const svg = soakSvg(leaking, '<script>')
  expect(svg).toContain('&#60;script&#62;: what there is after 100 agents')
  expect(svg.match(/fill="#\w+">[^<]+<\/text>\n<text/g)).toMatchInlineSnapshot(`
    [
      "fill="#1f77b4">tmux sessions</text>
    <text",
      "fill="#d62728">all processes</text>
    <text",
      "fill="#2ca02c">open descriptors</text>
    <text",
      "fill="#9467bd">files: prompt</text>
    <text",
      "fill="#8c564b">memory of the system, MB</text>
    <text",
    ]
  `)
  expect(svg.match(/<polyline/g)).toHaveLength(5)
})

const resultOf = (soak: SoakResult) =>
  green('soak', { file: 'soak', verdict: soak.verdict, verdicts: [], soak, errors: soakSentences(soak) })

test('in JUnit XML a soak is one case, which fails by what grows', () => {
  const xml = junitXml(aReport([resultOf({ ...leaking, rounds: [] })]))
  expect(xml).toContain('tests="1" failures="1" errors="0"')
  expect(xml).toContain('<failure message="1 growing" type="leak">')
  expect(xml).toContain('files: prompt: grows with each agent (0.20 ± ')
})

test('the outcome of a soak in a few words', () => {
  const flat = judgeSoak({ seed: 1, agents: 5 }, rounds(20))
  const harmed = judgeSoak(
    { seed: 1, agents: 5 },
    rounds(20, () => ({ collateral: ['a session'] })),
  )
  expect([leaking, flat, harmed].map(soak => outcome(resultOf(soak)))).toEqual([
    '1 growing',
    'flat',
    'collateral',
  ])
})
