import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Claim } from '../../claims/evidence.ts'
import { readProcess, readTableNow } from '../../platform/processes/table.ts'
import { freeze, isStill, ProcessSet } from '../../reaper/process-set.ts'
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

test('an orphan that began after all were stopped for good was not started by any of them', async () => {
  const seen = (pid: number): Claim => {
    const process = readTableNow().get(pid)
    if (!process) throw new Error(`${pid} had ended before it was read`)
    return { process, evidence: [{ kind: 'marker', detail: 'a test' }] }
  }
  const first = rig.start('sleep', ['1000'])
  const tracked = new ProcessSet(undefined, undefined, () => 'orphan')
  tracked.add([seen(first)], () => 'other', readTableNow())
  tracked.alive().forEach(freeze)
  await until('it is stopped', () => tracked.alive().every(isStill))
  tracked.noteFrozen()
  const frozenAt = performance.now()
  await until('what begins now is younger', () => performance.now() > frozenAt + 50)
  kill(first)
  // Within the scan after the KILL: nothing has looked yet whether the first has ended.
  const second = rig.start('sleep', ['1000'])
  expect(tracked.add([seen(second)], () => 'other', readTableNow())).toEqual([])
  expect(tracked.restarted()).toMatchObject([{ restartedBy: 'unknown' }])
})
