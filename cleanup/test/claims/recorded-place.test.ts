import { afterEach, beforeEach, expect, test } from 'vitest'
import { recordedPlace } from '../../claims/recorded-place.ts'
import { agentMarker, RECORD_FORMAT, type RecordedTmux, recordOf } from '../../orchestrator.ts'
import { readTable } from '../../platform/processes/table.ts'
import { Rig } from '../support/rig.ts'

const idle = 'echo ready; sleep 1000 & wait'
const atLimit = Object.assign(new Error('spawn tmux EMFILE'), { code: 'EMFILE' })

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** What is known of an agent's place when tmux fails with an error, with another record if one is given. */
async function placeOf(agentId: string, error: unknown, tmux?: RecordedTmux) {
  const ref = rig.ref(agentId)
  const entry = { ...rig.entry(ref), ...(tmux && { tmux }) }
  return recordedPlace(ref, entry, await readTable(), error)
}

test('the place that /proc confirms is the agent’s', async () => {
  await rig.deploy('a', { claude: idle })
  const { tmux } = rig.entry(rig.ref('a'))
  expect(await placeOf('a', atLimit)).toMatchObject({
    server: { pid: tmux?.server_pid },
    session: undefined,
    panes: [],
    tmuxError: atLimit,
  })
})

test('a tmux that does not answer for another reason stays an error', async () => {
  await rig.deploy('a', { claude: idle })
  const slow = new Error('it did not answer in time')
  await expect(placeOf('a', slow)).rejects.toBe(slow)
})

test('without a marker nothing is confirmed', async () => {
  await rig.deploy('a', { claude: idle, marker: false })
  await expect(placeOf('a', atLimit)).rejects.toBe(atLimit)
})

test.each([
  ['in a session that never had the marker', []],
  ['to which somebody gave the marker', ['-t', 'user']],
  ['on a server to which somebody gave the marker', ['-g']],
])('a record that names a user’s window %s', async (_, where) => {
  const ref = await rig.deploy('a', { claude: idle })
  if (where.length > 0) rig.tmux('set-environment', ...where, 'LEAKRIG_AGENT', agentMarker(ref))
  const made = rig.tmux('new-window', '-d', '-t', 'user:', '-P', '-F', RECORD_FORMAT, 'sleep 1000')
  await expect(placeOf('a', atLimit, recordOf(made))).rejects.toBe(atLimit)
})

test('a record of a server that has ended confirms nothing', async () => {
  await rig.deploy('a', { claude: idle })
  const { tmux } = rig.entry(rig.ref('a'))
  if (!tmux) throw new Error('its place is recorded')
  await expect(placeOf('a', atLimit, { ...tmux, server_start: 1 })).rejects.toBe(atLimit)
})
