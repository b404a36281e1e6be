import fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Watchdog } from '../../daemon/watchdog.ts'
import { type AgentRef, claimsFor } from '../../index.ts'
import { layout, updateAgent } from '../../orchestrator.ts'
import type { Ending } from '../../registry/lifecycle.ts'
import { Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

const AFTER_MS = 120_000

let rig: Rig
let logged: Record<string, unknown>[]
beforeEach(async () => {
  logged = []
  passedMs = 0
  for (const { clock, real } of clocks) vi.spyOn(clock, 'now').mockImplementation(() => real() + passedMs)
  rig = await Rig.start()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rig[Symbol.asyncDispose]()
})

/** An agent that has written these events and, by default, runs an MCP server and nothing else. */
async function deploy(id: string, events: object[], runs = ['sleep 1000 &']): Promise<AgentRef> {
  const ref = await rig.deploy(id, { claude: `echo ready; ${runs.join(' ')} wait` })
  await rig.waitUntilRunning(ref, ['bash', 'bash', ...runs.map(() => 'sleep'), 'tee'])
  say(ref, ...events)
  return ref
}

function say(ref: AgentRef, ...events: object[]): void {
  for (const event of events) fs.appendFileSync(layout.streamLog(ref), `${JSON.stringify(event)}\n`)
}

/** The real clocks; neither may start again from zero. */
const clocks = [
  { clock: Date, real: Date.now.bind(Date) },
  { clock: performance, real: performance.now.bind(performance) },
]
let passedMs = 0

function pass(ms: number): void {
  passedMs += ms
}

/** Does what a daemon does with its watchdogs every five seconds. */
function startWatchdog({ endIdle = false } = {}): (ref: AgentRef) => Promise<Ending | undefined> {
  const watchdogs = new Map<AgentRef, Watchdog>()
  const options = { silentAfterMs: AFTER_MS, endIdle }
  return async ref => {
    const watchdog = watchdogs.get(ref) ?? new Watchdog(ref, options, line => logged.push(line))
    watchdogs.set(ref, watchdog)
    return watchdog.check(rig.entry(ref))?.()
  }
}

const loggedEvents = () => logged.map(({ event, agent }) => `${event} ${agent}`)

describe('a silent agent', () => {
  test.each<[string, (ref: AgentRef) => Promise<void> | void]>([
    ['writes to its log', ref => say(ref, { type: 'assistant' })],
    ['is updated in the registry', ref => updateAgent(ref, entry => Object.assign(entry, { progress: 7 }))],
  ])('is marked and logged once, until it %s', async (_, speak) => {
    const ref = await deploy('a', [])
    const deployed = rig.entry(ref).last_update
    const check = startWatchdog()
    await check(ref)
    pass(AFTER_MS / 2)
    await check(ref)
    expect(logged).toEqual([])
    pass(AFTER_MS / 2)
    for (let n = 0; n < 3; n++) await check(ref)
    expect(logged).toEqual([{ event: 'silent', agent: 'a', task: ref.taskId, forMs: AFTER_MS }])
    expect(rig.entry(ref)).toMatchObject({ status: 'running', silent_since: expect.any(String) })
    expect(rig.entry(ref).last_update).toBe(deployed)
    await speak(ref)
    for (let n = 0; n < 3; n++) await check(ref)
    expect(rig.entry(ref).silent_since).toBeUndefined()
    pass(AFTER_MS)
    await check(ref)
    expect(loggedEvents()).toEqual(['silent a', 'output-resumed a', 'silent a'])
  })

  test('is logged once, also by the next daemon', async () => {
    const [ref, other] = [await deploy('a', []), await deploy('b', [])]
    const check = startWatchdog()
    await check(ref)
    pass(AFTER_MS)
    await check(ref)
    const checkNext = startWatchdog()
    for (const one of [ref, other]) await checkNext(one)
    pass(AFTER_MS)
    for (const one of [ref, other]) await checkNext(one)
    expect(loggedEvents()).toEqual(['silent a', 'silent b'])
  })
})

describe('an agent whose log is not at its path any more', () => {
  const elsewhere: [string, (ref: AgentRef, log: string) => unknown][] = [
    ['deleted', (_, log) => fs.unlinkSync(log)],
    ['renamed as logrotate does', (_, log) => fs.renameSync(log, `${log}.1`)],
    [
      'renamed, and created anew',
      (_, log) => {
        fs.renameSync(log, `${log}.1`)
        fs.writeFileSync(log, '')
      },
    ],
    [
      'moved to another name, with a recorded inode',
      (ref, log) => {
        const log_inode = String(fs.statSync(log).ino)
        fs.renameSync(log, `${rig.folder}/moved.jsonl`)
        return updateAgent(ref, entry => Object.assign(entry, { log_inode }))
      },
    ],
  ]
  test.each(elsewhere)('(%s) is silent only when its writer is', async (_, change) => {
    const ref = await rig.deploy('a', { claude: 'touch input; echo ready; tail -n +1 -f input & wait' })
    await rig.waitUntilRunning(ref, ['bash', 'bash', 'tail', 'tee'])
    const { claimed } = await claimsFor(ref)
    const tee = claimed.find(({ process }) => process.comm === 'tee')?.process.pid
    const written = () => fs.statSync(`/proc/${tee}/fd/3`).size
    const speak = async () => {
      const before = written()
      fs.appendFileSync(`${rig.folder}/input`, 'more\n')
      await until('it is written', () => written() > before)
    }
    const check = startWatchdog()
    await change(ref, layout.streamLog(ref))
    await check(ref)
    pass(AFTER_MS)
    await check(ref)
    for (let n = 0; n < 3; n++) {
      pass(AFTER_MS / 2)
      await speak()
      await check(ref)
    }
    expect(logged).toEqual([])
    pass(AFTER_MS)
    await check(ref)
    expect(loggedEvents()).toEqual(['silent a'])
    await speak()
    await check(ref)
    expect(loggedEvents()).toEqual(['silent a', 'output-resumed a'])
  })
})

test('an agent that finished and idles is ended as completed if that is asked for, and no other agent is', async () => {
  const result = { type: 'result', subtype: 'success', is_error: false }
  const refs = [
    await deploy('idle', [result]),
    // In a session of its own, like a command of the Bash tool.
    await deploy('at-work', [result], ['sleep 1000 &', 'setsid sleep 1000 >/dev/null 2>&1 &']),
    await deploy('said-more', [result, { type: 'assistant' }]),
    await deploy('failed', [{ ...result, is_error: true }]),
    await deploy('no-result', []),
  ]
  const endings = async (check: ReturnType<typeof startWatchdog>) => {
    const found: (Ending | undefined)[] = []
    for (const ref of refs) found.push(await check(ref))
    return found.map(ending => ending && `${ending.status}, ${ending.reason}`)
  }
  const none = refs.map(() => undefined)
  const [tells, ends] = [startWatchdog(), startWatchdog({ endIdle: true })]
  expect([await endings(tells), await endings(ends)]).toEqual([none, none])
  pass(AFTER_MS)
  expect(await endings(tells)).toEqual(none)
  expect(await endings(ends)).toEqual([expect.stringMatching(/^completed, .*idled/), ...none.slice(1)])
})
