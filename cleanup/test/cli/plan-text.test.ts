import { expect, test } from 'vitest'
import { suspectText } from '../../cli/format.ts'
import { nearMissesText, stepsText } from '../../cli/plan-text.ts'
import type { PlannedProcess } from '../../reaper/plan.ts'

const process = (pid: number, role: PlannedProcess['role']): PlannedProcess => ({
  ...{ pid, role, start: 1, ppid: 1, comm: 'sleep', command: 'sleep 1', evidence: [], ageMs: 1_000 },
})
const plan = (...end: PlannedProcess[]) => ({
  ...{ end, remove: [], claudeLeftovers: [], archive: [], loses: [], stays: [] },
  ...{ handsOver: false, graceMs: 3_000 },
})

test('a suspect’s sentence is whole: it ends with the command that ends the suspect', () => {
  const why = `tmux opened ${'x'.repeat(500)}; "tmux kill-session" ends it`
  const one = { pid: 1, start: 1, comm: 'sleep', command: 'sleep 1', resemblances: [why], reason: 'a test' }
  expect(nearMissesText([one]).join()).toContain(why)
  expect(suspectText({ ...one, ageMs: 0 })).toContain(why)
})

test('the verbs of a step agree with the number of processes', () => {
  const one = stepsText(plan(process(1, 'producer'), process(2, 'filter'), process(3, 'pane'))).join('\n')
  expect(one).toContain('TERM to sleep 1, which produces the log’s lines and ends its own children')
  expect(one).toContain('sleep 2, which brings them to the log and ends by itself when its input does')
  const roles = ['producer', 'filter', 'pane', 'pipe-pane'] as const
  const two = stepsText(plan(...roles.flatMap((role, n) => [process(n, role), process(n + 10, role)])))
  expect(two.join('\n')).toMatch(
    /sleep 0, sleep 10, which produce the log’s lines and end their own children$/m,
  )
  expect(two.join('\n')).toMatch(/which bring them to the log and end by themselves when their input does$/m)
  expect(two.join('\n')).toMatch(/which run in the pane, after all others: their end makes/)
  expect(two.join('\n')).toMatch(
    /which read the pane, write the log, and end by themselves when the pane does$/m,
  )
})

test('a grace below a second is shown in ms', () => {
  expect(stepsText(plan(process(1, 'other')), 500).join()).toContain('KILL, after 500 ms, to')
})
