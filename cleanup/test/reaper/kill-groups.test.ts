import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Claim } from '../../claims/evidence.ts'
import { isAlive, type ProcessTable, readTableNow } from '../../platform/processes/table.ts'
import { killGroups } from '../../reaper/kill-groups.ts'
import { ProcessSet } from '../../reaper/process-set.ts'
import { isRunning, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

/** It forks its successor and exits, again and again, until nobody is left to. */
const chain = 'while (1) { select(undef, undef, undef, 0.002); my $next = fork; exit if $next }'

let rig: Rig
const groups: number[] = []
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(async () => {
  // A chain that a failed test left is faster than whoever ends one process after another.
  for (const group of groups.splice(0)) if (exists(group)) process.kill(-group, 'SIGKILL')
  await rig[Symbol.asyncDispose]()
})

function startGroup(program: string): number {
  const group = rig.start('perl', ['-e', program])
  groups.push(group)
  return group
}

/** A roster of one process that was claimed while it lived. */
function rosterOf(pid: number): ProcessSet {
  const process = readTableNow().get(pid)
  if (!process) throw new Error(`${pid} had ended before it was looked at`)
  const claim: Claim = { process, evidence: [{ kind: 'marker', detail: 'a test' }] }
  const tracked = new ProcessSet()
  tracked.add([claim], () => 'other')
  return tracked
}

const without = (group: number): ProcessTable =>
  new Map([...readTableNow()].filter(([, { pgid }]) => pgid !== group))

function exists(group: number): boolean {
  try {
    return process.kill(-group, 0)
  } catch {
    return false
  }
}

test('a chain that no look finds ends with its group', async () => {
  const group = startGroup(`select(undef, undef, undef, 0.3); ${chain}`)
  const tracked = rosterOf(group)
  await until('its first process has ended', () => !isRunning(group))
  expect(exists(group)).toBe(true)
  killGroups(without(group), tracked)
  await until('its dead are collected', () => !exists(group))
})

test('links of the chain that were seen, and had ended before anything could claim them, do not keep their group', async () => {
  const group = startGroup(`select(undef, undef, undef, 0.3); ${chain}`)
  const tracked = rosterOf(group)
  const seen = await until('a link of it is seen', () => {
    const table = readTableNow()
    const links = [...table.values()].filter(one => one.pgid === group && one.pid !== group)
    return links.length > 0 && { table, links }
  })
  await until('they have ended', () => !seen.links.some(isAlive))
  expect(exists(group)).toBe(true)
  killGroups(seen.table, tracked)
  await until('its dead are collected', () => !exists(group))
})

test('a group in which anybody else is seen is left alone', async () => {
  const group = startGroup('fork and sleep 1000; sleep 1000')
  const tracked = rosterOf(group)
  const child = await until('it has a child', () =>
    [...readTableNow().values()].find(one => one.pgid === group && one.pid !== group),
  )
  killGroups(readTableNow(), tracked)
  expect([group, child.pid].map(isRunning)).toEqual([true, true])
})

test('our own group is left alone, whatever the roster says', () => {
  const tracked = rosterOf(process.pid)
  killGroups(readTableNow(), tracked)
  expect(isRunning(process.pid)).toBe(true)
})
