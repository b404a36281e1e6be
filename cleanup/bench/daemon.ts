#!/usr/bin/env node
/**
 * Measures a daemon that watches a hundred agents: its idle cost, and how soon it notices that an agent has ended, for each
 * kind of ending and for whole tmux servers. Exits 1 if a limit is exceeded.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findProgram } from '../platform/shell.ts'
import { until } from '../test/support/until.ts'
import { type EndingKind, KINDS, killExactly } from './daemon-endings.ts'
import { type Deployed, Fleet } from './daemon-fleet.ts'
import { MeasuredDaemon } from './daemon-process.ts'

const SERVERS = 5
const PER_SERVER = 20
const ROUNDS = 40
const IDLE_MS = 60_000
const LIMITS = { noticeMs: 300, core: 0.005, rssMb: 90 }
const CLEAN_WITHIN_MS = 60_000

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leakrig-bench-'))
using fleet = await Fleet.start(folder)
const pool: Deployed[][] = []
let number = 0
for (let index = 0; index < SERVERS; index++) pool.push(await fresh(index, PER_SERVER))
await using daemon = await MeasuredDaemon.start(fleet.workspace, folder)

const problems: string[] = []
await measureIdle()
// tini only: in a cgroup the pane would run the same processes as without containment.
process.env.LEAKRIG_CONTAINMENT = 'tini'
for (const kind of KINDS)
  if (kind.isContained && !findProgram('tini'))
    console.log(`${kind.name}: not measured, tini is not on the PATH`)
  else report(kind.name, await measureKind(kind))
report('tmux server killed', await measureServers())
for (const problem of problems) console.log(`LIMIT EXCEEDED: ${problem}`)
process.exitCode = problems.length > 0 ? 1 : 0

function fresh(index: number, count: number): Promise<Deployed[]> {
  const ids = Array.from({ length: count }, () => `a${number++}`)
  return fleet.deploy(`TASK-${index}`, `server${index}`, ids)
}

/** Deploys an agent that runs `command`, and waits until the daemon has seen it. */
async function deployWithCommand(
  index: number,
  command: string,
  isContained = false,
): Promise<Deployed | undefined> {
  const [taskId, server, id] = [`TASK-${index}`, `server${index}`, `a${number++}`]
  const [agent] = isContained
    ? [await fleet.deployContained(taskId, server, id, command)]
    : await fleet.deploy(taskId, server, [id], command)
  await pause(1_000)
  return agent
}

async function measureIdle(): Promise<void> {
  // Not idle yet: the start, and the first retention run half a minute later.
  await pause(40_000)
  const before = daemon.usage()
  await pause(IDLE_MS)
  const after = daemon.usage()
  const core = (after.ownMs - before.ownMs) / IDLE_MS
  const children = (after.childrenMs - before.childrenMs) / IDLE_MS
  console.log(
    `idle, ${SERVERS * PER_SERVER} agents, ${IDLE_MS / 1000} s: ${percent(core)} of a core, tmux clients ${percent(children)}; ` +
      `${after.rssMb.toFixed(1)} MB, ${after.descriptors} descriptors; load ${os.loadavg()[0]?.toFixed(1)}`,
  )
  if (core + children > LIMITS.core)
    problems.push(`idle: ${percent(core + children)} of a core, limit ${percent(LIMITS.core)}`)
  if (after.rssMb > LIMITS.rssMb)
    problems.push(`memory: ${after.rssMb.toFixed(1)} MB, limit ${LIMITS.rssMb} MB`)
}

/**
 * Ends agents one at a time, at random moments of the daemon's schedule, and replaces each, so that there are always a
 * hundred. Returns the times until the daemon noticed, in ms.
 */
async function measureKind({ end, command, isContained }: EndingKind): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const index = round % SERVERS
    const agent = command ? await deployWithCommand(index, command, isContained) : pool[index]?.shift()
    if (!agent) throw new Error('no agent left')
    await pause(100 + Math.random() * 200)
    const at = Date.now()
    end(fleet, agent, `server${index}`)
    times.push((await noticed(agent)) - at)
    await until(`${agent.ref.agentId} is clean`, () => fleet.isClean(agent), CLEAN_WITHIN_MS)
    if (!command) pool[index]?.push(...(await fresh(index, 1)))
  }
  return times
}

/** Kills one tmux server after the other. Returns the times until the daemon noticed each agent's end, in ms. */
async function measureServers(): Promise<number[]> {
  const times: number[] = []
  for (const [index, agents] of pool.entries()) {
    const at = Date.now()
    killExactly(agents[0]?.tmux.server_pid ?? 0, agents[0]?.tmux.server_start)
    for (const agent of agents) times.push((await noticed(agent)) - at)
    await until(
      `the agents of TASK-${index} are clean`,
      () => fleet.areClean(`TASK-${index}`),
      CLEAN_WITHIN_MS,
    )
    pool[index] = await fresh(index, PER_SERVER)
  }
  return times
}

function noticed({ ref }: Deployed): Promise<number> {
  return until(`${ref.agentId} 's end was noticed`, () => daemon.noticed(ref.agentId), 30_000)
}

function report(name: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
  const [median, worst] = [at(0.5), at(0.99)]
  console.log(
    `${name.padEnd(28)} noticed after ${median} ms (median), ${worst} ms (p99), n = ${times.length}`,
  )
  if (worst > LIMITS.noticeMs) problems.push(`${name}: p99 ${worst} ms, limit ${LIMITS.noticeMs} ms`)
}

function percent(part: number): string {
  return `${(part * 100).toFixed(2)} %`
}
