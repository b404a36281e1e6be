import { afterEach, beforeEach, expect, test } from 'vitest'
import { killPanes, killSession } from '../../tmux/kill-session.ts'
import { locate } from '../../tmux/locate.ts'
import { isRunning, kill, Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

/*
 * Between the query and the kill the server ends, and the user starts another one, whose first session gets the number of
 * the agent's.
 */

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** The agent's earlier place in tmux: session $0 and pane %0, which are the user's now. */
async function locateBeforeRestart() {
  const first = Number(rig.tmux('display-message', '-p', '#{pid}'))
  rig.tmux('kill-server')
  // An exiting server still accepts the next client, and refuses it.
  await until('the first server is gone', () => !isRunning(first))
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

test('a session with the agent’s former id on a later server is not killed', async () => {
  const { entry, location } = await locateBeforeRestart()
  await killSession(entry, location, { id: '$0' })
  expect(rig.sessions()).toEqual(['work'])
})

test('nor is a pane', async () => {
  const { entry, location } = await locateBeforeRestart()
  await killPanes(entry, location)
  expect(rig.sessions()).toEqual(['work'])
})
