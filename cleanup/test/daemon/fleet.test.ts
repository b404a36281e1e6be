import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AgentRef, sweep } from '../../index.ts'
import { layout } from '../../orchestrator.ts'
import { peekTaskRegistry } from '../../registry/registry.ts'
import { Daemon } from '../support/daemon.ts'
import { registerDeadAgents } from '../support/dead-fleet.ts'
import { kill, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

const AGENTS = 700
const WITH_FILES = 20
/** How many agents are cleaned up at once. */
const AT_ONCE = 256
/** A stop takes a second, and longer on a machine that is busy with other tests. */
const STOP_MS = 15_000

let rig: Rig
let refs: AgentRef[]
beforeEach(async () => {
  rig = await Rig.start()
  refs = await registerDeadAgents(rig, AGENTS, WITH_FILES)
})
afterEach(() => rig[Symbol.asyncDispose]())

// Polled: a registry of this size takes 5 ms to parse, so it is parsed only when it has changed.
const states = () => peekTaskRegistry(rig.workspace, 'TASK-1').agents.map(({ cleanup }) => cleanup?.state)
const left = () =>
  refs.filter(ref => [layout.promptFile(ref), layout.streamLog(ref)].some(file => fs.existsSync(file)))

/** How many cleanups were under way at the same time, by the daemon's log. In one instant, ends come before starts. */
function mostAtOnce(daemon: Daemon): number {
  const ofEvent = (event: string, by: number) =>
    daemon.events(event).map(({ time }) => ({ time: String(time), by }))
  const steps = [...ofEvent('cleaned', -1), ...ofEvent('intent', 1)]
  let [now, most] = [0, 0]
  for (const { by } of steps.toSorted((a, b) => a.time.localeCompare(b.time))) {
    now += by
    most = Math.max(most, now)
  }
  return most
}

test('the daemon cleans up hundreds of dead agents in turn, reports a mass death, and stops in the middle', async () => {
  // Beside them is everything that could delay a stop: broken registries, and a tmux server that does not reply.
  for (const task of ['TASK-fifo', 'TASK-folder']) fs.mkdirSync(`${rig.workspace}/${task}`)
  spawnSync('mkfifo', [`${rig.workspace}/TASK-fifo/AGENT_REGISTRY.json`])
  fs.mkdirSync(`${rig.workspace}/TASK-folder/AGENT_REGISTRY.json`)
  const hung = await rig.deploy('hung', { claude: 'echo ready; sleep 1000', socket: `${rig.folder}/hung` })
  const server = rig.entry(hung).tmux?.server_pid ?? 0
  process.kill(server, 'SIGSTOP')

  const daemon = await Daemon.start(rig)
  await until('it has cleaned up some', () => daemon.events('cleaned').length > 0)
  const toldAt = performance.now()
  expect(await daemon.stop()).toBe(0)
  expect(performance.now() - toldAt).toBeLessThan(STOP_MS)
  expect(mostAtOnce(daemon)).toBeLessThanOrEqual(AT_ONCE)

  const next = await Daemon.start(rig)
  await until('all are clean', () => states().filter(state => state === 'done').length === AGENTS, 120_000)
  expect(left()).toEqual([])
  // How many agents the first daemon has left depends on the machine, and may be few.
  await registerDeadAgents(rig, 50, 0, 'later')
  const deaths = () => [...daemon.events('mass-death'), ...next.events('mass-death')]
  await until('it is announced', () => deaths().length > 0)
  expect(deaths()[0]).toMatchObject({ gone: expect.any(Number), level: 'alarm' })
  expect(await next.stop()).toBe(0)
  process.kill(server, 'SIGCONT')
  kill(server)
})

test('a sweep that is stopped in the middle reports what was done for each agent, and the next sweep does the rest', async () => {
  const stop = new AbortController()
  const reported: number[] = []
  const progress = (what: string, done: number, of: number) => {
    if (what !== 'cleaned up') return
    expect(of).toBe(AGENTS)
    reported.push(done)
    stop.abort()
  }
  const options = { apply: true, graceMs: 300, minAgeMs: 0 }
  const { agents, stopped } = await sweep(rig.workspace, { ...options, signal: stop.signal, progress })
  expect(stopped).toBe(true)
  expect(reported[0]).toBe(1)
  const begun = agents.filter(({ done }) => done)
  expect(begun.some(({ done }) => done?.outcome === 'clean')).toBe(true)
  expect(begun.length).toBeLessThanOrEqual(AT_ONCE + 1)

  await until('what was at hand has ended', () => !states().includes('pending'))
  const next = await sweep(rig.workspace, options)
  expect(next).toMatchObject({ stopped: false, problems: [] })
  expect(new Set(states())).toEqual(new Set(['done']))
  expect(left()).toEqual([])
})
