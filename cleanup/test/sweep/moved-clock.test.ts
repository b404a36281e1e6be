import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { cleanUp, sweep } from '../../index.ts'
import type { LogLine } from '../../log.ts'
import { NO_TRACES, Rig, traces } from '../support/rig.ts'

const YEAR_MS = 365 * 86_400_000
const rightTime = Date.now

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rig[Symbol.asyncDispose]()
})

const moveClock = (ms: () => number): void => {
  vi.spyOn(Date, 'now').mockImplementation(() => rightTime() + ms())
}

test.each([
  ['forward', YEAR_MS],
  ['back', -YEAR_MS],
])('a clock that is moved %s by a year during a cleanup does not change its grace', async (_, ms) => {
  const ref = await rig.deploy('a', {
    claude: 'trap "" TERM HUP; echo ready; while :; do sleep 0.1; done',
  })
  const times = new Map<string, number>()
  const log = ({ signal, role }: LogLine): void => {
    if (role === 'producer') times.set(String(signal), performance.now())
    if (signal === 'SIGTERM') moveClock(() => ms)
  }
  expect(await cleanUp(ref, { status: 'terminated', reason: 'a test', graceMs: 1_000, log })).toMatchObject({
    outcome: 'clean',
  })
  const [term = 0, kill = 0] = [times.get('SIGTERM'), times.get('SIGKILL')]
  expect(kill - term).toBeGreaterThan(900)
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('a session that was made a moment ago is young, whatever the clock shows', async () => {
  rig.tmux('new-session', '-d', '-s', 'agent_new', 'sleep 1000')
  moveClock(() => YEAR_MS)
  const look = (minAgeMs: number) => sweep(rig.workspace, { graceMs: 100, minAgeMs, orphans: true })
  expect((await look(60_000)).unlisted.sessions).toMatchObject([
    { name: 'agent_new', leftAlone: { kind: 'young' } },
  ])
  const [old] = (await look(0)).unlisted.sessions
  expect([old?.name, old?.leftAlone]).toEqual(['agent_new', undefined])
})
