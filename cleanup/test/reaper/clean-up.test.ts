import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cleanUp } from '../../index.ts'
import { readTaskRegistry } from '../../orchestrator.ts'
import { readGlobalRegistry } from '../../registry/registry.ts'
import { isRunning, NO_TRACES, Rig, traces } from '../support/rig.ts'

const completed = { status: 'completed', reason: 'it said so' }
const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

test('a plain agent leaves nothing but its archive', async () => {
  const ref = await rig.deploy('plain', { claude: idle })
  await rig.waitUntilRunning(ref)
  const report = await cleanUp(ref, completed)
  expect(report).toMatchObject({ outcome: 'clean', status: 'completed', problems: [] })
  expect(report.ended.map(({ comm }) => comm).sort()).toEqual(['bash', 'bash', 'sleep', 'tee'])
  expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(rig.sessions()).toEqual(['user'])
  expect(readTaskRegistry(rig.workspace, ref.taskId)).toMatchObject({ active_count: 0, completed_count: 1 })
  expect(readGlobalRegistry(rig.workspace)).toMatchObject({
    active_agents: 0,
    agents: { plain: { status: 'completed', task_id: ref.taskId } },
  })
})

test('the second call finds it done, and the first end stands', async () => {
  const ref = await rig.deploy('twice', { claude: idle })
  await cleanUp(ref, completed)
  const again = await cleanUp(ref, { status: 'crashed', reason: 'too late' })
  expect(again).toMatchObject({ outcome: 'already-clean', status: 'completed', ended: [] })
  expect(rig.entry(ref)).toMatchObject({ status: 'completed', reason: 'it said so' })
})

describe('what does not want to end', () => {
  test('an agent that ignores TERM goes within its grace', async () => {
    const ref = await rig.deploy('stubborn', {
      claude: 'trap "" TERM HUP; echo ready; while :; do sleep 1; done',
    })
    const report = await cleanUp(ref, { ...completed, graceMs: 300 })
    expect(report.outcome).toBe('clean')
    expect(report.ms).toBeGreaterThan(300)
    expect(report.ms).toBeLessThan(20_000)
    expect(report.ended.find(({ signal }) => signal === 'SIGKILL')?.comm).toBe('bash')
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('children in sessions of their own, stopped ones, daemons, and those without a marker', async () => {
    const claude = `
      setsid bash -c 'trap "" HUP TERM; echo $$ > own.pid; while :; do sleep 1; done' >/dev/null 2>&1 &
      setsid bash -c 'echo $$ > stopped.pid; kill -STOP $$; sleep 1000' >/dev/null 2>&1 &
      ( setsid bash -c 'echo $$ > daemon.pid; exec sleep 1000' >/dev/null 2>&1 & )
      setsid env -i bash -c 'echo $$ > bare.pid; exec sleep 1000' >/dev/null 2>&1 &
      setsid bash -c '( env -i bash -c "echo \\$\\$ > stray.pid; exec sleep 1000" >/dev/null 2>&1 & ); sleep 1000' >/dev/null 2>&1 &
      while ! [ -s own.pid -a -s stopped.pid -a -s daemon.pid -a -s bare.pid -a -s stray.pid ]; do sleep 0.01; done
      ${idle}`
    const ref = await rig.deploy('wild', { claude })
    const pids = await Promise.all(['own', 'stopped', 'daemon', 'bare', 'stray'].map(name => rig.pid(name)))
    const report = await cleanUp(ref, { ...completed, graceMs: 300 })
    expect(pids.filter(isRunning)).toEqual([])
    expect(report.outcome).toBe('clean')
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('a shell that is kept open behind claude', async () => {
    const ref = await rig.deploy('kept', { claude: idle, after: 'exec bash -i' })
    const report = await cleanUp(ref, { ...completed, graceMs: 60_000 })
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    expect(report.ms).toBeLessThan(20_000)
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  // As it happens to a bash that is just replacing itself by another one.
  test('a pane’s process that forgets the first hang-up', async () => {
    const after = `trap 'trap - HUP' HUP; trap '' TERM; while :; do sleep 0.05; done`
    const ref = await rig.deploy('forgetful', { claude: idle, after })
    const report = await cleanUp(ref, { ...completed, graceMs: 60_000 })
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    expect(report.ms).toBeLessThan(20_000)
  })

  test('a pane that tmux keeps after its process', async () => {
    const ref = await rig.deploy('remains', { claude: idle })
    rig.tmux('set-option', '-t', '=agent_remains:', 'remain-on-exit', 'on')
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', session: 'killed' })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('more panes and windows', async () => {
    const ref = await rig.deploy('many', { claude: idle })
    rig.tmux('split-window', '-d', '-t', '=agent_many:', `echo $$ > ${rig.folder}/split.pid; exec sleep 1000`)
    rig.tmux(
      'new-window',
      '-d',
      '-t',
      '=agent_many:',
      `echo $$ > ${rig.folder}/window.pid; setsid sleep 1000 & exec bash -i`,
    )
    const pids = [await rig.pid('split'), await rig.pid('window')]
    await cleanUp(ref, completed)
    expect(pids.filter(isRunning)).toEqual([])
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })

  test('a tmux server that the agent started, with what runs in it', async () => {
    const socket = `${rig.folder}/nested`
    const ref = await rig.deploy('nest', {
      claude: `tmux -S ${socket} -f /dev/null new-session -d 'exec sleep 1000'; ${idle}`,
    })
    const report = await cleanUp(ref, completed)
    expect(report.ended.some(({ comm }) => comm.startsWith('tmux'))).toBe(true)
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})

test('an agent whose place in tmux was not recorded is found by its exact name', async () => {
  const ref = await rig.deploy('1', { claude: idle, recorded: false, marker: false })
  await rig.deploy('1x', { claude: idle, recorded: false, marker: false })
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', session: 'ended-by-itself' })
  expect(rig.sessions().sort()).toEqual(['agent_1x', 'user'])
})

test('an agent whose tmux server was killed', async () => {
  const claude = `setsid bash -c 'trap "" HUP; echo $$ > own.pid; sleep 1000' >/dev/null 2>&1 & ${idle}`
  const ref = await rig.deploy('orphan', { claude })
  const own = await rig.pid('own')
  process.kill(rig.entry(ref).tmux?.server_pid ?? 0, 'SIGKILL')
  const report = await cleanUp(ref, { status: 'crashed', reason: 'no server' })
  expect(report).toMatchObject({ outcome: 'clean', session: 'was-gone', problems: [] })
  expect(isRunning(own)).toBe(false)
})

test('zombies count as ended, and it is said whose they are', async () => {
  // `exec sleep` takes over the shell's children and never collects them.
  const claude = 'bash -c "sleep 0 & exec sleep 1000" & echo ready; wait'
  const ref = await rig.deploy('undead', { claude })
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('ten at once', async () => {
  const refs = await Promise.all(
    Array.from({ length: 10 }, (_, n) => rig.deploy(`of-ten-${n}`, { claude: idle })),
  )
  await Promise.all(refs.map(ref => cleanUp(ref, completed)))
  for (const ref of refs) expect(traces(rig, ref)).toEqual(NO_TRACES)
  expect(readGlobalRegistry(rig.workspace).active_agents).toBe(0)
})
