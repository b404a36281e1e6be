import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { liveText, type Running } from '../../report/live-text.ts'
import { count } from '../../timeline/counts.ts'

const none = count([])
const running: Running[] = [
  { name: 'normal completion', since: 0 },
  {
    name: 'ten agents: seven complete at once, three one after another',
    since: 4_000,
    progress: { step: 'baseline', now: { ...none, processes: 2, files: { other: 3 } } },
  },
  {
    name: 'manual kill in the middle of the work',
    since: 1_000,
    progress: {
      step: 'comes to work',
      agent: 'worker-022329-7ba708-022331',
      baseline: { ...none, sessions: 1, processes: 2 },
      now: { ...none, sessions: 2, claudes: 1, processes: 14, files: { prompt: 1, 'stream log': 4 } },
    },
  },
]
const shown = (room: { columns: number; rows: number }, all = running) =>
  stripVTControlCharacters(liveText(all, 12_345, room))

test('each scenario with its step, and its counts from the baseline to now', () => {
  expect(shown({ columns: 80, rows: 24 })).toMatchInlineSnapshot(`
    "… normal completion  12 s  waits for its sandbox
        nothing was counted yet
    … ten agents: seven complete at once, three one after another  8 s  baseline
        sessions 0 · claude 0 · processes 2 · files 3
    … manual kill in the middle of the work  11 s  comes to work (worker-0223…)
        sessions 1→2 · claude 0→1 · processes 2→14 · files 0→5"
  `)
})

test('fewer lines where there is no room for all', () => {
  expect(shown({ columns: 60, rows: 6 })).toMatchInlineSnapshot(`
    "… normal completion  12 s  waits for its sandbox
    … ten agents: seven complete at once, three…  8 s  baseline
    … manual kill in the m…  11 s  comes to work (worker-0223…)"
  `)
  expect(shown({ columns: 60, rows: 4 })).toMatchInlineSnapshot(`
    "… normal completion  12 s  waits for its sandbox
    … ten agents: seven complete at once, three…  8 s  baseline
      … and 1 more"
  `)
  expect(shown({ columns: 30, rows: 1 })).toMatchInlineSnapshot(`
    "… normal completion  12 s  w…
      … and 2 more"
  `)
})

test('no line is wider than the terminal, and nothing of a name or a step reaches it unescaped', () => {
  const hostile = 'a\u001b[2Jb\n\u202e'
  const all = [{ name: hostile.repeat(20), since: 0, progress: { step: hostile, agent: hostile, now: none } }]
  const text = liveText(all, 0, { columns: 60, rows: 9 })
  const lines = stripVTControlCharacters(text).split('\n')
  expect(lines).toHaveLength(2)
  expect(lines.filter(line => line.length >= 60)).toEqual([])
  expect(text).not.toContain('\u001b[2J')
  expect(text).not.toContain('\u202e')
})
