import fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Watchdog } from '../../daemon/watchdog.ts'
import type { AgentRef } from '../../index.ts'
import { layout, updateAgent } from '../../orchestrator.ts'
import type { Ending } from '../../registry/lifecycle.ts'
import { Rig } from '../support/rig.ts'

const AFTER_MS = 120_000

let rig: Rig
let told: Record<string, unknown>[]
beforeEach(async () => {
  told = []
  passedMs = 0
  for (const { clock, real } of clocks) vi.spyOn(clock, 'now').mockImplementation(() => real() + passedMs)
  rig = await Rig.start()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rig[Symbol.asyncDispose]()
})

/** An agent that has written these events, and that runs an MCP server, as a rule, and nothing else. */
async function deploy(id: string, events: object[], runs = ['sleep 1000 &']): Promise<AgentRef> {
  const ref = await rig.deploy(id, { claude: `echo ready; ${runs.join(' ')} wait` })
  await rig.stands(ref, ['bash', 'bash', ...runs.map(() => 'sleep'), 'tee'])
  say(ref, ...events)
  return ref
}

function say(ref: AgentRef, ...events: object[]): void {
  for (const event of events) fs.appendFileSync(layout.streamLog(ref), `${JSON.stringify(event)}\n`)
}

/** Both clocks as they are for everybody; none of them may begin anew. */
const clocks = [
  { clock: Date, real: Date.now.bind(Date) },
  { clock: performance, real: performance.now.bind(performance) },
]
let passedMs = 0

function pass(ms: number): void {
  passedMs += ms
}

/** What a daemon does with its watchdog every five seconds. */
function startWatchdog({ endIdle = false } = {}): (ref: AgentRef) => Promise<Ending | undefined> {
  const watchdog = new Watchdog({ silentAfterMs: AFTER_MS, endIdle }, event => told.push(event))
  return async ref => watchdog.look({ key: ref.agentId, ref, entry: rig.entry(ref) })?.()
}

const whatWasTold = () => told.map(({ event, agent }) => `${event} ${agent}`)

describe('an agent that says nothing', () => {
  test.each<[string, (ref: AgentRef) => Promise<void> | void]>([
    ['writes to its log', ref => say(ref, { type: 'assistant' })],
    ['is updated in the registry', ref => updateAgent(ref, entry => Object.assign(entry, { progress: 7 }))],
  ])('is marked and told once, until it %s', async (_, speak) => {
    const ref = await deploy('a', [])
    const deployed = rig.entry(ref).last_update
    const look = startWatchdog()
    await look(ref)
    pass(AFTER_MS / 2)
    await look(ref)
    expect(told).toEqual([])
    pass(AFTER_MS / 2)
    for (let n = 0; n < 3; n++) await look(ref)
    expect(told).toEqual([{ event: 'silent', agent: 'a', task: ref.taskId, forMs: AFTER_MS }])
    expect(rig.entry(ref)).toMatchObject({ status: 'running', silent_since: expect.any(String) })
    expect(rig.entry(ref).last_update).toBe(deployed)
    await speak(ref)
    for (let n = 0; n < 3; n++) await look(ref)
    expect(rig.entry(ref).silent_since).toBeUndefined()
    pass(AFTER_MS)
    await look(ref)
    expect(whatWasTold()).toEqual(['silent a', 'output-resumed a', 'silent a'])
  })

  test('is told once, also by the next daemon', async () => {
    const [ref, other] = [await deploy('a', []), await deploy('b', [])]
    const look = startWatchdog()
    await look(ref)
    pass(AFTER_MS)
    await look(ref)
    const lookNext = startWatchdog()
    for (const one of [ref, other]) await lookNext(one)
    pass(AFTER_MS)
    for (const one of [ref, other]) await lookNext(one)
    expect(whatWasTold()).toEqual(['silent a', 'silent b'])
  })
})

test('one that finished and idles is ended as completed where that is asked for, and only such a one', async () => {
  const result = { type: 'result', subtype: 'success', is_error: false }
  const refs = [
    await deploy('idle', [result]),
    // In a session of its own, as a command of the Bash tool is.
    await deploy('at-work', [result], ['sleep 1000 &', 'setsid sleep 1000 >/dev/null 2>&1 &']),
    await deploy('said-more', [result, { type: 'assistant' }]),
    await deploy('failed', [{ ...result, is_error: true }]),
    await deploy('no-result', []),
  ]
  const endings = async (look: ReturnType<typeof startWatchdog>) => {
    const found: (Ending | undefined)[] = []
    for (const ref of refs) found.push(await look(ref))
    return found.map(ending => ending && `${ending.status}, ${ending.reason}`)
  }
  const none = refs.map(() => undefined)
  const [tells, ends] = [startWatchdog(), startWatchdog({ endIdle: true })]
  expect([await endings(tells), await endings(ends)]).toEqual([none, none])
  pass(AFTER_MS)
  expect(await endings(tells)).toEqual(none)
  expect(await endings(ends)).toEqual([expect.stringMatching(/^completed, .*idled/), ...none.slice(1)])
})
