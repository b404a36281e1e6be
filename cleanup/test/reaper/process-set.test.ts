import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Claim } from '../../claims/evidence.ts'
import { readProcess, readTableNow } from '../../platform/processes/table.ts'
import { ProcessSet } from '../../reaper/process-set.ts'
import { kill, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const childOf = (supervisor: number) =>
  [...readTableNow().values()].find(({ ppid, comm }) => ppid === supervisor && comm === 'sleep')

test('what a supervisor starts again within one scan, gets no signal', async () => {
  const supervisor = rig.start('bash', ['-c', 'while :; do sleep 1000; done'])
  const claimOf = async (other = 0): Promise<Claim> => ({
    process: await until('it runs', () => {
      const child = childOf(supervisor)
      return child?.pid === other ? undefined : child
    }),
    evidence: [{ kind: 'marker', detail: 'a test' }],
  })
  const first = await claimOf()
  const tracked = new ProcessSet(new Set(), (_, table) =>
    [...table.values()].filter(({ pid }) => pid === supervisor),
  )
  tracked.add([first], () => 'other', readTableNow())
  expect(tracked.alive()).toHaveLength(1)
  kill(first.process.pid)
  const second = await claimOf(first.process.pid)
  expect(tracked.add([second], () => 'other', readTableNow())).toEqual([])
  expect(tracked.restarted()).toMatchObject([
    { claim: second, restartedBy: { pid: supervisor, start: readProcess(supervisor)?.start } },
  ])
})
