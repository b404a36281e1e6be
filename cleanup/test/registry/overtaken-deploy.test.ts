import { afterEach, beforeEach, expect, test } from 'vitest'
import { type AgentRef, cleanUp } from '../../index.ts'
import { addAgent, updateAgent } from '../../orchestrator.ts'
import { Daemon } from '../support/daemon.ts'
import { Rig } from '../support/rig.ts'
import { until } from '../support/until.ts'

// A deploy registers its agent, starts its session, and then says where in tmux it is. The end may come in between.

const terminated = { status: 'terminated', reason: 'somebody asked for it', graceMs: 400 }
const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** What comes late of a deploy. */
function place(ref: AgentRef): Promise<void> {
  const tmux = rig.newSession(ref, { claude: idle })
  return updateAgent(ref, entry => Object.assign(entry, { tmux }))
}

function expectNothingLeft(ref: AgentRef): void {
  expect(rig.sessions()).toEqual(['user'])
  expect(rig.processesOf(ref)).toEqual([])
  expect(rig.entry(ref)).toMatchObject({ status: 'terminated', cleanup: { state: 'done' } })
}

test('a place in tmux that comes after the end is to be cleaned up', async () => {
  const ref = rig.ref('a')
  await addAgent(ref, { status: 'running' })
  expect(await cleanUp(ref, terminated)).toMatchObject({ outcome: 'clean' })
  await place(ref)
  expect(rig.entry(ref)).toMatchObject({ status: 'terminated', cleanup: { state: 'pending' } })
  expect(await cleanUp(ref, terminated)).toMatchObject({ outcome: 'clean' })
  expectNothingLeft(ref)
})

test('one that comes between the last look and the end of the cleanup too', async () => {
  const ref = rig.ref('a')
  await addAgent(ref, { status: 'running' })
  let placed: Promise<void> | undefined
  const log = ({ event }: { event: string }) => {
    if (event === 'done') placed = place(ref)
  }
  const report = await cleanUp(ref, { ...terminated, log })
  await placed
  expect(report).toMatchObject({
    outcome: 'unfinished',
    problems: [expect.stringContaining('clean it up once more')],
  })
  expect(await cleanUp(ref, terminated)).toMatchObject({ outcome: 'clean' })
  expectNothingLeft(ref)
})

test('the daemon does it', async () => {
  const daemon = await Daemon.start(rig)
  const ref = rig.ref('a')
  await addAgent(ref, { status: 'terminated' })
  await until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
  await place(ref)
  await until('it is clean again', () => rig.entry(ref).cleanup?.state === 'done')
  expectNothingLeft(ref)
  await daemon.stop()
})
