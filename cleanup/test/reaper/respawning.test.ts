import fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AgentRef, cleanUp } from '../../index.ts'
import { addAgent, agentMarker, layout, updateAgent } from '../../orchestrator.ts'
import { hasEnded } from '../../platform/processes/stat.ts'
import { readTable, type SeenProcess } from '../../platform/processes/table.ts'
import { pendingAgents } from '../support/pending-agents.ts'
import { forkChain, respawner } from '../support/respawners.ts'
import { isRunning, kill, NO_TRACES, Rig, readText, traces } from '../support/rig.ts'
import { until } from '../support/until.ts'

const completed = { status: 'completed', reason: 'it said so', graceMs: 400 }
/** How many starts show a cleanup that ends each one anew: it sees about 50. Mostly it takes one or two to see who starts them. */
const FEW = 10
const idle = 'echo ready; sleep 1000 & wait'

let rig: Rig
beforeEach(async () => {
  rig = await Rig.start()
})
afterEach(() => rig[Symbol.asyncDispose]())

/** Every process on the machine whose command line contains these words. */
async function running(words: string): Promise<SeenProcess[]> {
  const table = await readTable()
  return [...table.values()].filter(
    seen => !hasEnded(seen) && readText(`/proc/${seen.pid}/cmdline`).includes(words),
  )
}

const lastNumber = (file: string) => until(file, () => Number(readText(file)) || undefined)

describe('a process that forks its successor and exits, a thousand times a second', () => {
  test.each([
    ['in sessions of their own', (file: string) => `( setsid ${forkChain(file, { ownSession: true })} & )`],
    ['in the pane', (file: string) => `( ${forkChain(file, { ownSession: false })} & )`],
    [
      'without an environment, in the session of a process that lives',
      (file: string) => `setsid sh -c '( env -i PATH="$PATH" sh ${file}.sh & ) ; sleep 1000' &`,
    ],
  ])('%s', async (_, start) => {
    const file = `${rig.folder}/generation`
    fs.writeFileSync(`${file}.sh`, `exec ${forkChain(file, { ownSession: false })}\n`)
    const ref = await rig.deploy('chain', { claude: `${start(file)} >/dev/null 2>&1\n${idle}` })
    const seen = new Set<number>()
    await until('it runs', () => seen.add(Number(readText(file))).size > 10)
    const report = await cleanUp(ref, completed)
    expect(await running(`"${file}"`)).toEqual([])
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})

describe('a supervisor that starts its worker again', () => {
  test.each([
    ['in the pane', ''],
    ['in a session of its own', 'setsid'],
    ['outside the pane, with nobody above it', '( setsid'],
  ])('%s', async (_, how) => {
    const file = `${rig.folder}/worker`
    const end = how.startsWith('(') ? ' & )' : ' &'
    const claude = `${how} ${respawner(file)} >/dev/null 2>&1 ${end}\n${idle}`
    const ref = await rig.deploy('again', { claude })
    const worker = await lastNumber(file)
    process.kill(worker, 'SIGKILL')
    await until('it came again', async () => (await lastNumber(file)) !== worker)
    const report = await cleanUp(ref, completed)
    expect(isRunning(await lastNumber(file))).toBe(false)
    expect(await running(`"${file}"`)).toEqual([])
    expect(report).toMatchObject({ outcome: 'clean', problems: [] })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})

test('a tmux server that is told to start the pane’s process again', async () => {
  const ref = await rig.deploy('hook', { claude: idle })
  rig.tmux('set-option', '-t', '=agent_hook:', 'remain-on-exit', 'on')
  rig.tmux('set-hook', '-w', '-t', '=agent_hook:', 'pane-died', 'respawn-pane "exec sleep 1000"')
  const report = await cleanUp(ref, completed)
  expect(report).toMatchObject({ outcome: 'clean', session: 'killed', problems: [] })
  expect(traces(rig, ref)).toEqual(NO_TRACES)
})

test('no process is killed before all are frozen, wherever in a turn the grace ends', async () => {
  for (let n = 1; n <= 20; n++) {
    const ref = await rig.deploy(`deaf-${n}`, {
      claude: 'trap "" TERM HUP; echo ready; while :; do sleep 1; done',
    })
    const events: string[] = []
    const log = ({ event, signal }: Record<string, unknown>) => {
      if (event === 'freeze' || signal === 'SIGKILL') events.push(String(event))
    }
    expect(await cleanUp(ref, { ...completed, graceMs: n / 20, log })).toMatchObject({ outcome: 'clean' })
    expect(events[0]).toBe('freeze')
  }
})

test('a session that comes while its agent is being ended is ended too, and no other', async () => {
  const ref = rig.ref('late')
  await addAgent(ref, { status: 'running' })
  const ready = `${rig.folder}/ready`
  const deaf = `trap '' TERM; echo > ${ready}; while :; do sleep 0.1; done`
  rig.start('sh', ['-c', deaf], { LEAKRIG_AGENT: agentMarker(ref) })
  await until('it ignores TERM', () => fs.existsSync(ready))
  let isThere = false
  const log = ({ event }: { event: string }) => {
    if (isThere || event !== 'signal') return
    isThere = true
    rig.newSession(ref, { claude: idle })
    rig.tmux('new-session', '-d', '-s', 'newest', 'sleep 1000')
  }
  const report = await cleanUp(ref, { ...completed, log })
  expect(report).toMatchObject({ outcome: 'clean', problems: [] })
  expect(rig.processesOf(ref)).toEqual([])
  expect(rig.sessions().sort()).toEqual(['newest', 'user'])
})

test('an agent whose start is an object becomes clean', async () => {
  const started_at = { $date: '2026-01-01' } as never
  const ref = await rig.deploy('a', { claude: idle, entry: { started_at } })
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'already-clean' })
})

test('an agent that is run again under its id, in the entry that was clean, is cleaned up again', async () => {
  const theirs = {
    claude: idle,
    recorded: false,
    marker: false,
    entry: { started_at: '2026-01-01T00:00:00Z' },
  }
  const ref = await rig.deploy('builder', theirs)
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean' })
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'already-clean' })
  rig.newSession(ref, theirs)
  await until('it runs', () => readText(layout.streamLog(ref)).includes('ready'))
  // As other programs do: fields that they do not know survive.
  const started_at = '2026-01-02T00:00:00Z'
  await updateAgent(ref, entry => Object.assign(entry, { status: 'running', started_at }))
  await updateAgent(ref, entry => Object.assign(entry, { status: 'completed' }))
  expect(pendingAgents(rig.workspace)).toEqual([ref.agentId])
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', session: 'ended-by-itself' })
  expect(rig.sessions()).toEqual(['user'])
  expect(pendingAgents(rig.workspace)).toEqual([])
})

describe('a supervisor outside of the agent, which starts one of its processes again', () => {
  const supervise = (file: string, worker: string, how = '') => `
    while :; do ${how} sh -c 'echo $$ >>${file}; exec ${worker}' & wait $!; done`
  test.each<[string, (ref: AgentRef, file: string) => number]>([
    [
      'a loop in a shell of the user’s',
      (ref, file) =>
        rig.start('bash', ['-c', supervise(file, 'sleep 1000', `env LEAKRIG_AGENT=${agentMarker(ref)}`)]),
    ],
    [
      'each time in a session of its own, and stubborn',
      (ref, file) =>
        rig.start('bash', [
          '-c',
          `while :; do env LEAKRIG_AGENT=${agentMarker(ref)} setsid -w sh -c 'trap "" TERM; echo $$ >>${file}; exec sleep 1000'; done`,
        ]),
    ],
    [
      'by a shell that the supervisor starts anew each time',
      (ref, file) =>
        rig.start('bash', [
          '-c',
          `while :; do bash -c "echo \\$\\$ >>${file}; env LEAKRIG_AGENT=${agentMarker(ref)} sleep 1000; :"; done`,
        ]),
    ],
    [
      'after a moment',
      (ref, file) =>
        rig.start('bash', [
          '-c',
          `while :; do env LEAKRIG_AGENT=${agentMarker(ref)} sh -c 'echo $$ >>${file}; exec sleep 1000'; sleep 0.2; done`,
        ]),
    ],
  ])('%s: one try, and it is named', async (_, start) => {
    const file = `${rig.folder}/starts`
    const ref = await rig.deploy('a', { claude: idle })
    const supervisor = start(ref, file)
    const starts = () => readText(file).split('\n').length - 1
    await until('it runs', async () => starts() === 1 && rig.processesOf(ref).length > 4)
    const report = await cleanUp(ref, completed)
    expect(report).toMatchObject({
      outcome: 'unfinished',
      problems: [expect.stringMatching(new RegExp(`runs: process ${supervisor} \\(bash\\).*Stop it there`))],
    })
    expect(starts()).toBe(2)
    expect(isRunning(supervisor)).toBe(true)
    kill(supervisor)
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})

test('a hook of the user’s that starts again the pane that was moved into his session', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  rig.tmux('set-option', '-wg', 'remain-on-exit', 'on')
  rig.tmux('set-hook', '-g', 'pane-died', 'respawn-pane')
  rig.tmux('move-window', '-s', '=agent_a:0', '-t', '=user:7')
  expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
  expect(rig.processesOf(ref)).toEqual([])
  expect(rig.sessions()).toEqual(['user'])
})

describe('somebody outside of the agent, whom nothing ties to what he starts', () => {
  const named = {
    outcome: 'unfinished',
    problems: [expect.stringMatching(/somebody outside of the agent started it again/)],
  }

  test.each([true, false])('in a new session of the agent’s name (with the marker: %s)', async isMarked => {
    // Its log may be an earlier run's, so its age says nothing about the new session.
    const entry = { started_at: new Date(Date.now() + 60_000).toISOString() }
    const ref = await rig.deploy('a', { claude: idle, recorded: false, entry })
    const file = `${rig.folder}/starts`
    const marker = isMarked ? `-e LEAKRIG_AGENT=${agentMarker(ref)}` : ''
    const again = `new-session -d -s agent_a ${marker} "echo >>${file}; sleep 1000 | cat"`
    rig.tmux('set-hook', '-g', 'session-closed', again)
    expect(await cleanUp(ref, completed)).toMatchObject({ ...named, session: 'left-alone' })
    expect(readText(file).length).toBeLessThan(FEW)
    expect(rig.sessions()).toContain('agent_a')
    rig.tmux('set-hook', '-gu', 'session-closed')
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(rig.processesOf(ref)).toEqual([])
    expect(rig.sessions()).toEqual(['user'])
  })

  test('in a new session that only its name ties to the agent, long after that began', async () => {
    const entry = { started_at: new Date(Date.now() - 600_000).toISOString() }
    const ref = await rig.deploy('a', { claude: idle, recorded: false, entry })
    const file = `${rig.folder}/starts`
    rig.tmux('set-hook', '-g', 'session-closed', `new-session -d -s agent_a "echo >>${file}; sleep 1000"`)
    expect(await cleanUp(ref, completed)).toMatchObject({
      outcome: 'clean',
      session: 'left-alone',
      notes: [expect.stringMatching(/is left alone, because nothing shows that more than its name/)],
    })
    expect(readText(file).length).toBe(1)
    expect(rig.sessions()).toContain('agent_a')
  })

  test('as nobody’s child', async () => {
    const ref = await rig.deploy('a', { claude: idle })
    const file = `${rig.folder}/starts`
    const worker = `echo >>${file}; echo $$ >${file}.pid; exec sleep 1000`
    const start = `rm -f ${file}.pid; setsid -f env LEAKRIG_AGENT=${agentMarker(ref)} sh -c '${worker}'; until [ -s ${file}.pid ]; do :; done`
    // A zombie has no program.
    const loop = `while :; do [ -e /proc/$(cat ${file}.pid)/exe ] || { ${start}; }; sleep 0.02; done`
    const supervisor = rig.start('bash', ['-c', loop])
    await until('it runs', () => readText(`${file}.pid`) !== '')
    expect(await cleanUp(ref, completed)).toMatchObject(named)
    expect(readText(file).length).toBeLessThan(FEW)
    kill(supervisor)
    expect(await cleanUp(ref, completed)).toMatchObject({ outcome: 'clean', problems: [] })
    expect(traces(rig, ref)).toEqual(NO_TRACES)
  })
})

test('a supervisor that takes longer than a cleanup waits is named in the notes', async () => {
  const ref = await rig.deploy('a', { claude: idle })
  const loop = `while :; do env LEAKRIG_AGENT=${agentMarker(ref)} sh -c 'echo $$ >${rig.folder}/w.pid; exec sleep 1000'; sleep 1000; done`
  const supervisor = rig.start('bash', ['-c', loop])
  await rig.pid('w')
  const report = await cleanUp(ref, completed)
  expect(report).toMatchObject({ outcome: 'clean', problems: [] })
  expect(report.notes).toEqual([
    expect.stringMatching(
      new RegExp(`\\(sleep\\) was started by process ${supervisor} \\(bash\\), which is not the agent’s`),
    ),
  ])
})
