import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { claimsFor, cleanUp } from '../../index.ts'
import { measure } from '../../metrics/measure.ts'
import { BackgroundSessions } from '../support/background-sessions.ts'
import { isRunning, kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

// A host of a session stays for some seconds after its supervisor, and has to be killed.
const completed = { status: 'completed', reason: 'it said so', graceMs: 1_000 }

let rig: Rig
let background: BackgroundSessions
beforeEach(async () => {
  rig = await Rig.start()
  background = new BackgroundSessions(rig)
})
afterEach(() => rig[Symbol.asyncDispose]())

test('a service that the agent started and that serves nobody else ends, with every session in it', async () => {
  const ref = await background.deploy('1', 2)
  const own = await background.ofAgent()
  const service = [background.supervisor, ...background.spares()]
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', notes: [] })
  expect([...service.filter(isRunning), ...background.running(...own)]).toEqual([])
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(background.leftFiles()).toEqual([])
})

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'a service whose supervisor got %s: what lives of it ends',
  async signal => {
    const ref = await background.deploy('1')
    const own = await background.ofAgent()
    kill(background.supervisor, signal)
    await until('it has ended', () => !isRunning(background.supervisor))
    expect(background.running(...own)).toHaveLength(3)
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', notes: [] })
    expect(background.running(...own)).toEqual([])
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  },
)

test.each([
  ['is not touched', false],
  ['is not touched and not named where no roster lists it', true],
])('the service of a user, with a session, %s', async (_, isUnlisted) => {
  const user = await background.ofUser()
  const service = [background.supervisor, ...background.spares()]
  if (isUnlisted) background.removeRoster()
  const ref = await rig.deploy('1', { claude: 'sleep 1000 & echo ready; wait' })
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', notes: [] })
  expect(service.filter(isRunning)).toEqual(service)
  expect(background.running(user)).toHaveLength(3)
})

test('a service that the agent started and that serves a user too is left, and what is the agent’s is named', async () => {
  const ref = await background.deploy('1')
  const [own] = await background.ofAgent()
  const user = await background.ofUser()
  if (!own) throw new Error('the agent started no session')
  const service = [background.supervisor, ...background.spares()]
  const { claimed, spared } = await claimsFor(ref)
  const pids = [...service, ...background.running(own, user)]
  expect(claimed.map(({ process }) => process.pid).filter(pid => pids.includes(pid))).toEqual([])
  const reasons = new Map(spared.map(({ process, sparedFor }) => [process.pid, sparedFor]))
  expect(pids.map(pid => reasons.get(pid))).toEqual(pids.map(() => 'background-service'))

  const first = await cleanUp(ref, completed)
  expect(first).toMatchObject({
    outcome: 'unfinished',
    problems: [expect.stringContaining(`end it with "claude stop ${own.id}"`)],
    notes: [expect.stringContaining(`serves the session ${user.id} (process ${user.worker})`)],
  })
  expect(pids.filter(isRunning)).toEqual(pids)

  background.claude('stop', own.id)
  await until('it has stopped', () => background.running(own).length === 0)
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(background.running(user)).toHaveLength(3)
  expect(isRunning(background.supervisor)).toBe(true)
  // What serves the user is no leftover, although all of it carries the agent's marker.
  const { processes } = await measure([rig.workspace])
  expect(processes?.leftovers.filter(({ pid }) => rig.isOwn(pid))).toEqual([])
  expect(background.leftFiles().map(file => path.basename(file))).toEqual(
    expect.arrayContaining(['daemon.lock', 'control.sock', `${user.id}.sock`, `${user.worker}.sock`]),
  )
})

test('a session that the agent started in the service of a user is named, and left', async () => {
  const user = await background.ofUser()
  const ref = await background.deploy('1')
  const own = await background.ofAgent()
  expect(await cleanUp(ref, completed)).toMatchObject({
    outcome: 'clean',
    notes: [expect.stringContaining(`claude stop ${own[0]?.id}`)],
  })
  expect(background.running(...own, user)).toHaveLength(6)
  expect(isRunning(background.supervisor)).toBe(true)
})

test('once the supervisor was killed, the agent’s session ends and the user’s lives on', async () => {
  const ref = await background.deploy('1')
  const own = await background.ofAgent()
  const user = await background.ofUser()
  kill(background.supervisor)
  await until('it has ended', () => !isRunning(background.supervisor))
  await cleanUp(ref, completed)
  expect(background.running(...own)).toEqual([])
  expect(background.running(user)).toHaveLength(3)
})

test('what a killed worker leaves is ended if the session was the agent’s', async () => {
  const ref = await background.deploy('1')
  const own = await background.ofAgent()
  const user = await background.ofUser()
  for (const { worker } of [...own, user]) kill(worker)
  await until('the hosts have ended', () => background.running(...own, user).length === 2)
  const { notes } = await cleanUp(ref, completed)
  expect(background.running(...own)).toEqual([])
  expect(background.running(user)).toEqual([user.bash])
  expect(notes.join()).toContain(`Process ${user.bash} (bash) is left running`)
})

test('a session that no roster lists is left, and named', async () => {
  const ref = await background.deploy('1')
  const own = await background.ofAgent()
  const user = await background.ofUser()
  background.removeRoster()
  const { notes, problems } = await cleanUp(ref, completed)
  expect(background.running(...own, user)).toHaveLength(6)
  expect([...problems, ...notes].join()).toContain(
    `(process ${user.worker}), and nothing shows who started that`,
  )
})

test('an agent whose orchestrator runs in a background session of the user’s ends like any other', async () => {
  const user = await background.ofUser()
  // tmux hands the environment of whoever started its server to every pane.
  const outer = `export CLAUDE_JOB_DIR=${background.home}/.claude/jobs/${user.id}; export CLAUDE_CODE_SESSION_ID=${user.id};`
  const ref = await rig.deploy('1', {
    before: outer,
    claude: 'setsid -f sleep 1000; sleep 1000 & echo ready; wait',
  })
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', notes: [] })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(background.running(user)).toHaveLength(3)
})
