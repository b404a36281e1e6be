import fs from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AgentRef } from '../../index.ts'
import { newQuietPeriod } from '../../liveness/abandoned-pane.ts'
import { detectEnd } from '../../liveness/detect-end.ts'
import { deployTimeLeft } from '../../liveness/pending-deploys.ts'
import { layout, updateAgent } from '../../orchestrator.ts'
import { Daemon } from '../support/daemon.ts'
import { kill, NO_TRACES, Rig, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const work = 'echo $$ >claude.pid; echo ready; exec sleep 1000'
const success = `echo ready; echo '${JSON.stringify({ type: 'result', subtype: 'success' })}'`

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

const cleaned = (ref: AgentRef) => until('it is clean', () => rig.entry(ref).cleanup?.state === 'done')
const log = (ref: AgentRef) => layout.streamLog(ref)
const written = (ref: AgentRef) => {
  const fds = fs.readdirSync('/proc').flatMap(pid => links(`/proc/${pid}/fd`))
  return fds.includes(log(ref))
}

test.each([true, false])(
  'a claude that is killed while its pane goes on as a shell (contained: %s)',
  async contained => {
    const daemon = await Daemon.start(rig)
    const ref = await rig.deploy('a', { claude: work, after: 'exec bash --norc', contained })
    kill(await rig.pid('claude'))
    await cleaned(ref)
    expect(rig.entry(ref)).toMatchObject({
      status: 'crashed',
      reason: expect.stringMatching(/^nothing runs below the shell of its pane any more/),
    })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
    await daemon.stop()
  },
)

test('a claude that finished while its pane continues as a shell', async () => {
  const daemon = await Daemon.start(rig)
  const ref = await rig.deploy('a', { claude: `${success}; sleep 0.3`, after: 'exec bash --norc' })
  await cleaned(ref)
  expect(rig.entry(ref)).toMatchObject({ status: 'completed' })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  await daemon.stop()
})

test('a claude that finished with a result of 300 KiB, and its session with it', async () => {
  const long =
    'perl -e \'print q({"type":"result","subtype":"success","result":"), q(x) x 307200, qq("}\\n)\''
  const late = `echo '{"type":"system","subtype":"task_notification"}'`
  const ref = await rig.deploy('a', { claude: `echo ready; ${long}; ${late}` })
  const found = await until('its end is found', () => detectEnd(ref, rig.entry(ref)))
  expect(found).toMatchObject({ status: 'completed' })
})

test('the same, found later by a daemon that never saw it run, without a record of its place in tmux', async () => {
  const ref = await rig.deploy('a', { claude: success, after: 'exec bash --norc', recorded: false })
  await until('the log is closed', () => !written(ref))
  const found = await until('it is found', () => detectEnd(ref, rig.entry(ref)))
  expect(found).toMatchObject({ status: 'completed' })
})

test.each([
  ['a claude at work', { claude: work }],
  ['a claude at work that nobody recorded', { claude: work, recorded: false }],
  [
    'a claude that is started again and again',
    { before: 'while :; do', claude: 'echo ready', after: 'done' },
  ],
  ['a wrapper that waits before it starts claude again', { claude: 'echo ready', after: 'sleep 1000; true' }],
  [
    'a wrapper that waits a moment each time',
    { before: 'while :; do', claude: 'echo ready', after: 'sleep 0.05; done' },
  ],
  [
    'a wrapper that waits without a child',
    { before: 'while :; do', claude: 'echo ready', after: 'read -t 0.3; done' },
  ],
  [
    'one process that is not a shell and writes its log otherwise',
    { claude: 'echo ready', after: 'exec sleep 1000' },
  ],
  [
    'another pane that is at work',
    { claude: `${success}; tmux split-window -d sleep 1000`, after: 'exec bash --norc' },
  ],
])('not an end: %s', async (_, deployment) => {
  const ref = await rig.deploy('a', deployment)
  if (deployment.claude !== work) await until('the first claude has left', () => !hasChild(ref, 'a.sh'))
  expect(await detectEnd(ref, rig.entry(ref))).toBeUndefined()
})

test('not an end: a claude that has not started yet', async () => {
  const ref = rig.ref('a')
  const tmux = rig.newSession(ref, { claude: '' }, ['bash', '--norc'])
  const entry = {
    id: 'a',
    status: 'running',
    tmux_session: 'agent_a',
    tmux,
    started_at: new Date().toISOString(),
  }
  expect(await detectEnd(ref, entry)).toBeUndefined()
  // Its log was created, and deleted or rotated at once.
  expect(await detectEnd(ref, { ...entry, log_inode: '1' })).toBeUndefined()
  fs.writeFileSync(`${log(ref)}.1`, '')
  expect(await detectEnd(ref, entry)).toBeUndefined()
  fs.writeFileSync(log(ref), '')
  expect(await detectEnd(ref, entry)).toBeUndefined()
  const old = { ...entry, started_at: '2026-01-01T00:00:00Z' }
  expect(await until('it is found', () => detectEnd(ref, old))).toMatchObject({ status: 'crashed' })
})

/** Deploys an agent in a shell that goes on, lets its log be changed, and ends its claude with its tee. */
async function deployAndLeave(change: (ref: AgentRef) => void, createsLog: boolean): Promise<AgentRef> {
  const ref = await rig.deploy('a', { claude: `${success}; ${work}`, after: 'exec bash --norc' })
  if (createsLog) {
    const log_inode = String(fs.statSync(log(ref)).ino)
    await updateAgent(ref, entry => Object.assign(entry, { log_inode, started_at: '2026-01-01T00:00:00Z' }))
  } else await updateAgent(ref, entry => Object.assign(entry, { started_at: '2026-01-01T00:00:00Z' }))
  change(ref)
  expect(await detectEnd(ref, rig.entry(ref))).toBeUndefined()
  kill(await rig.pid('claude'))
  return ref
}

test.each<[string, boolean, string, (ref: AgentRef) => void]>([
  ['deleted', true, 'crashed', ref => fs.unlinkSync(log(ref))],
  ['moved out of the workspace', true, 'crashed', ref => fs.renameSync(log(ref), `${rig.folder}/mine`)],
  ['rotated', true, 'completed', ref => fs.renameSync(log(ref), `${log(ref)}.1`)],
  [
    'rotated, and whose deploy created no log',
    false,
    'completed',
    ref => fs.renameSync(log(ref), `${log(ref)}.1`),
  ],
])('a claude that left its pane behind, and whose log was %s', async (_, createsLog, status, change) => {
  const ref = await deployAndLeave(change, createsLog)
  const found = await until('it is found', () => detectEnd(ref, rig.entry(ref)))
  expect(found).toMatchObject({ status, reason: expect.stringContaining('no process writes its log') })
})

test('not an end: a log that is not there, and nothing shows that it ever was', async () => {
  const ref = await deployAndLeave(one => fs.unlinkSync(log(one)), false)
  await until('claude has left', () => !hasChild(ref, 'a.sh'))
  expect(await detectEnd(ref, rig.entry(ref))).toBeUndefined()
})

test('not an end: a log that was moved away, and is written by a process that left the pane', async () => {
  const ref = await rig.deploy('a', {
    claude: work,
    before: `exec 3>>${log(rig.ref('a'))}; (setsid sleep 1000 &);`,
    after: 'exec bash --norc 3>&-',
    entry: { started_at: '2026-01-01T00:00:00Z' },
  })
  const log_inode = String(fs.statSync(log(ref)).ino)
  await updateAgent(ref, entry => Object.assign(entry, { log_inode }))
  fs.renameSync(log(ref), `${rig.folder}/mine`)
  kill(await rig.pid('claude'))
  await until('claude has left', () => !hasChild(ref, 'a.sh'))
  expect(await detectEnd(ref, rig.entry(ref))).toBeUndefined()
})

test.each([
  ['forward', 1],
  ['back', -1],
])(
  'a clock that is moved %s by a year after the first look makes an agent neither old nor young',
  async (_, years) => {
    using held = new DisposableStack()
    held.defer(() => vi.useRealTimers())
    const ref = rig.ref('a')
    const tmux = rig.newSession(ref, { claude: '' }, ['bash', '--norc'])
    fs.writeFileSync(log(ref), '')
    const entryOf = (ageMs: number) => {
      const started_at = new Date(Date.now() - ageMs).toISOString()
      return { id: 'a', status: 'running', tmux_session: 'agent_a', tmux, started_at }
    }
    const [young, old] = [entryOf(0), entryOf(3_600_000)]
    const [ofYoung, ofOld] = [newQuietPeriod(), newQuietPeriod()]
    await until('it is found', () => detectEnd(ref, old, ofOld))
    expect(await detectEnd(ref, young, ofYoung)).toBeUndefined()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + years * 365 * 86_400_000 })
    expect(await until('it is found again', () => detectEnd(ref, old, ofOld))).toMatchObject({
      status: 'crashed',
    })
    expect(await detectEnd(ref, young, ofYoung)).toBeUndefined()
    const leftAfter = (ageMs: number) =>
      deployTimeLeft({ ...old, started_at: new Date(Date.now() - ageMs).toISOString() })
    expect([0, 3_600_000].map(leftAfter)).toEqual([60_000, 0])
  },
)

test('a session whose panes are all dead, without a record of it', async () => {
  const ref = await rig.deploy('a', {
    before: 'tmux set-option -t =agent_a: remain-on-exit on;',
    claude: success,
    recorded: false,
  })
  await until(
    'the pane is dead',
    () => rig.tmux('list-panes', '-t', '=agent_a:', '-F', '#{pane_dead}') === '1',
  )
  expect(await detectEnd(ref, rig.entry(ref))).toMatchObject({ status: 'completed' })
})

function hasChild(ref: AgentRef, name: string): boolean {
  return rig.processesOf(ref).some(line => {
    const file = `/proc/${line.split(' ')[0]}/cmdline`
    try {
      return fs.readFileSync(file, 'utf8').split('\0').at(1)?.endsWith(name) === true
    } catch {
      return false
    }
  })
}

function links(folder: string): string[] {
  try {
    return fs.readdirSync(folder).flatMap(fd => {
      try {
        return [fs.readlinkSync(`${folder}/${fd}`)]
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}
