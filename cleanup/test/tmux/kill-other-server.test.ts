import { afterEach, beforeEach, expect, test } from 'vitest'
import { killPanes, killSession } from '../../tmux/kill-session.ts'
import { locate } from '../../tmux/locate.ts'
import { isRunning, kill, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

/*
 * Between the look and the kill the server ends, and the user starts another one. Its first session has the number that the
 * agent's had.
 */

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Where an agent was in tmux, in session $0 and pane %0, of which the user has the numbers now. */
async function lookBeforeRestart() {
  rig.tmux('kill-server')
  const ref = await rig.deploy('a', { claude: 'echo ready; sleep 1000' })
  const entry = rig.entry(ref)
  const location = await locate(entry)
  expect(location).toMatchObject({ session: { id: '$0' }, panes: [{ id: '%0' }] })
  const pid = location.server?.pid ?? 0
  kill(pid)
  await until('the server is dead', () => !isRunning(pid))
  rig.tmux('-f', '/dev/null', 'new-session', '-d', '-s', 'work', 'sleep 1000')
  return { entry, location }
}

test('a session of the number that the agent’s had is not killed on a later server', async () => {
  const { entry, location } = await lookBeforeRestart()
  await killSession(entry, location, { id: '$0' })
  expect(rig.sessions()).toEqual(['work'])
})

test('nor is a pane', async () => {
  const { entry, location } = await lookBeforeRestart()
  await killPanes(entry, location)
  expect(rig.sessions()).toEqual(['work'])
})
