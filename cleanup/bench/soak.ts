#!/usr/bin/env node
/**
 * Runs two thousand light agents through one daemon, in batches that end in every way, and plots the daemon's memory and
 * descriptors after each batch in docs/soak.svg. Exits 1 if the last quarter uses clearly more than the second.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startOf } from '../platform/processes/table.ts'
import { readAgent } from '../registry/registry.ts'
import { until } from '../test/support/until.ts'
import { KINDS, killExactly } from './daemon-endings.ts'
import { type Deployed, Fleet } from './daemon-fleet.ts'
import { MeasuredDaemon, type Usage } from './daemon-process.ts'
import { type Sample, soakSvg } from './soak-svg.ts'

const AGENTS = 2_000
const BATCH = 40
const CLEAN_WITHIN_MS = 120_000
/** Allowed growth from the second quarter to the last: of memory as a fraction, of descriptors as a number. */
const LIMITS = { memory: 0.1, descriptors: 2 }
const ENDINGS = KINDS.filter(({ command }) => command === undefined)
const PLOT = path.join(import.meta.dirname, '..', '..', 'docs', 'soak.svg')

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'leakrig-soak-'))
using fleet = await Fleet.start(folder)
await using daemon = await MeasuredDaemon.start(fleet.workspace, folder)

const startedAt = performance.now()
const samples: Sample[] = []
for (let batch = 0; batch < AGENTS / BATCH; batch++) {
  await runBatch(batch)
  const { rssMb, descriptors } = await quietUsage()
  samples.push({ agents: (batch + 1) * BATCH, rssMb, descriptors })
  if (batch % 10 === 9)
    console.log(`${(batch + 1) * BATCH} agents: ${rssMb.toFixed(1)} MB, ${descriptors} descriptors`)
}
const minutes = (performance.now() - startedAt) / 60_000
fs.mkdirSync(path.dirname(PLOT), { recursive: true })
fs.writeFileSync(PLOT, soakSvg(samples, `${AGENTS} agents in ${minutes.toFixed(1)} minutes`))
console.log(`${minutes.toFixed(1)} minutes; ${path.relative(process.cwd(), PLOT)} written`)

const [early, late] = [quarter(1), quarter(3)]
const held =
  late.rssMb <= early.rssMb * (1 + LIMITS.memory) &&
  late.descriptors <= early.descriptors + LIMITS.descriptors
console.log(
  `second quarter ${early.rssMb.toFixed(1)} MB and ${early.descriptors} descriptors, last ${late.rssMb.toFixed(1)} MB and ${late.descriptors}: ${held ? 'flat' : 'NOT FLAT'}`,
)
process.exitCode = held ? 0 : 1

/** Runs a batch in its own task and on its own tmux server. Three quarters of the agents end one by one; then the server is killed. */
async function runBatch(batch: number): Promise<void> {
  const [taskId, server] = [`TASK-${batch}`, `server${batch}`]
  const ids = Array.from({ length: BATCH }, (_, n) => `b${batch}-${n}`)
  const agents = await fleet.deploy(taskId, server, ids)
  const last = agents.slice(-BATCH / 4)
  const first = agents.slice(0, -last.length)
  for (const [n, agent] of first.entries()) ENDINGS[n % ENDINGS.length]?.end(fleet, agent, server)
  await until(`the first of ${taskId} are clean`, () => areClean(first, server), CLEAN_WITHIN_MS)
  killExactly(last[0]?.tmux.server_pid ?? 0, last[0]?.tmux.server_start)
  await until(`${taskId} is clean`, () => fleet.areClean(taskId), CLEAN_WITHIN_MS)
}

/** Some endings write a status without the registry lock, and another writer may overwrite it: those are repeated. */
async function areClean(agents: Deployed[], server: string): Promise<boolean> {
  await pause(100)
  const open = agents.filter(agent => !fleet.isClean(agent))
  for (const agent of open) if (isStillRunning(agent)) ENDINGS[0]?.end(fleet, agent, server)
  return open.length === 0
}

function isStillRunning({ ref, tmux }: Deployed): boolean {
  return startOf(tmux.pane_pid) === tmux.pane_start && readAgent(ref).status === 'running'
}

/** Takes the lowest of ten samples: during a tmux query the daemon has pipes open for some milliseconds. */
async function quietUsage(): Promise<Usage> {
  const usages: Usage[] = []
  for (let n = 0; n < 10; n++) {
    await pause(20)
    usages.push(daemon.usage())
  }
  return usages.reduce((least, usage) => (usage.descriptors < least.descriptors ? usage : least))
}

/** The median of a quarter of the samples. */
function quarter(index: number): Sample {
  const size = samples.length / 4
  const part = samples.slice(index * size, (index + 1) * size)
  const median = (of: (sample: Sample) => number) =>
    part.map(of).toSorted((a, b) => a - b)[Math.floor(part.length / 2)] ?? 0
  return {
    agents: 0,
    rssMb: median(sample => sample.rssMb),
    descriptors: median(sample => sample.descriptors),
  }
}
