import { afterEach, beforeEach, expect, test } from 'vitest'
import { claim } from '../../claims/claim.ts'
import type { Claim } from '../../claims/evidence.ts'
import { observe } from '../../claims/observe.ts'
import { agentMarker } from '../../orchestrator.ts'
import { isAlive, type ProcessTable, readTableNow, startOf } from '../../platform/processes/table.ts'
import { killGroups } from '../../reaper/kill-groups.ts'
import { ProcessSet } from '../../reaper/process-set.ts'
import { readTaskRegistry } from '../../registry/registry.ts'
import { isRunning, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

/** Forks its successor and exits, again and again. */
const chain = 'while (1) { select(undef, undef, undef, 0.002); my $next = fork; exit if $next }'

let rig: Rig
const groups: number[] = []
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(async () => {
  // A chain that a failed test left is faster than anything that ends one process after another.
  for (const group of groups.splice(0)) if (exists(group)) process.kill(-group, 'SIGKILL')
  await rig[Symbol.asyncDispose]()
})

function startGroup(program: string): number {
  const group = rig.start('perl', ['-e', program])
  groups.push(group)
  return group
}

/** A set of one process that was claimed while it lived. */
function trackedOf(pid: number): ProcessSet {
  const process = readTableNow().get(pid)
  if (!process) throw new Error(`${pid} had ended before it was read`)
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

test('a chain that no scan finds ends with its group', async () => {
  const group = startGroup(`select(undef, undef, undef, 0.3); ${chain}`)
  const tracked = trackedOf(group)
  await until('its first process has ended', () => !isRunning(group))
  expect(exists(group)).toBe(true)
  killGroups(without(group), tracked)
  await until('its dead are collected', () => !exists(group))
})

test('links of the chain that a scan lists, and that ended before they could be claimed, do not protect their group', async () => {
  const group = startGroup(`select(undef, undef, undef, 0.3); ${chain}`)
  const tracked = trackedOf(group)
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

test('a link of the chain that ended between a scan and its claim is claimed: its group is known by it', async () => {
  const ref = await rig.deploy('a', { claude: `setsid perl -e '${chain}' & echo ready; sleep 1000` })
  const { observation, link } = await until('a link of it is observed', async () => {
    const seen = await observe(ref, readTaskRegistry(rig.workspace, ref.taskId))
    const found = [...seen.table.values()].find(
      one => one.comm === 'perl' && one.environment.marker === agentMarker(ref),
    )
    return found && { observation: seen, link: found }
  })
  groups.push(link.pgid)
  // It is nobody's child whom anything but its own environment ties to the agent.
  const alone = { ...link, ppid: 1, pgid: link.pid, sid: link.pid, tty: 0 }
  await until('it is gone', () => startOf(link.pid) !== link.start)
  const { claimed } = claim({ ...observation, table: new Map([...observation.table, [link.pid, alone]]) })
  expect(claimed.get(link.pid)?.evidence.map(({ kind }) => kind)).toEqual(['tmux-environment', 'marker'])
})

test('a group that holds a living process of somebody else is left alone', async () => {
  const group = startGroup('fork and sleep 1000; sleep 1000')
  const tracked = trackedOf(group)
  const child = await until('it has a child', () =>
    [...readTableNow().values()].find(one => one.pgid === group && one.pid !== group),
  )
  killGroups(readTableNow(), tracked)
  expect([group, child.pid].map(isRunning)).toEqual([true, true])
})

test('our own group is left alone, whatever is tracked', () => {
  const tracked = trackedOf(process.pid)
  killGroups(readTableNow(), tracked)
  expect(isRunning(process.pid)).toBe(true)
})
